// SPDX-License-Identifier: Apache-2.0
//
// The durable queue: every message, its story, the numbers of the link's two directions, and the ledger, in one
// SQLite file (WAL, synchronous=FULL). Start here: README.md, schema.cpp.
//
// On the writer's thread only (store_runner.hpp); reading for the page and for bodies goes through StoreReader
// on a connection of its own. Operations run inside the runner's transaction: what they did is durable when the
// runner reports the group committed, not when they return. They throw StoreError; the runner turns that into a
// value. Decisions (what to expire, conflate, evict, send) are the loop's; the store refuses what contradicts
// its state.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <unordered_map>

#include "queue/ledger.hpp"
#include "queue/message.hpp"
#include "queue/message_numbers.hpp"
#include "queue/number_set.hpp"
#include "queue/sqlite.hpp"

namespace tulpar::queue {

struct Salvaged;

// A message as a broker numbered it, and what it was.
struct BrokerMark {
  std::uint16_t packet = 0;
  std::uint64_t fingerprint = 0;
};

struct Accepted {
  Entry entry;
  bool duplicate = false;  // a copy: nothing was stored, entry.id is 0
  // An emergency that waits: what was stored, so that nobody has to read it (at_hand.hpp). Else none.
  std::shared_ptr<const NewMessage> emergency{};
};

// A plain text that both ends hold.
struct HistoryPart {
  std::uint64_t batch = 0;
  Bytes plain;
};

// What the sending side of a link must know after a start.
struct SendState {
  std::uint64_t incarnation = 0;  // ours towards this peer
  std::uint64_t batch_floor = 1;  // all batch numbers below are closed
  std::uint64_t batch_next = 1;   // floor..next-1 may have been used: void them
  std::uint64_t batch_end = 1;    // next..end-1 are reserved for use
  // The starts whose numbers the peer may have, oldest first; the last is this one. The first is the last that
  // the peer is known to have, and the newest kMostLives - 1 follow.
  std::vector<SenderLife> lives{{}};
  std::vector<HistoryPart> history;  // ascending
  std::uint64_t next_message = 1;    // above all message numbers given so far; in a block that is reserved
  std::vector<Entry> queued;         // ascending by id; numbers missing between are finished
  bool more = false;                 // these are the first; queued() has the others
};

// What the receiving side must know after a start.
struct ReceiveState {
  std::uint64_t incarnation = 0;     // the peer's, as last heard; 0: none yet
  std::uint32_t life = 0;            // of the peer, in which it last changed these; 0: none yet
  NumberSet numbers;                 // message numbers that are here
  NumberSet batches;                 // closed batch numbers
  std::vector<HistoryPart> history;  // ascending
};

// A batch that arrived whole. `messages` are classified already and have their numbers in origin_number.
struct ReceivedBatch {
  std::uint64_t incarnation = 0;  // the peer's: numbers of another one are refused
  std::uint32_t life = 0;         // the peer's
  std::uint64_t number = 0;
  std::uint64_t settled = 1;
  bool enters_history = false;
  Bytes plain;
  std::vector<NewMessage> messages;
};

// A batch that the peer acknowledged.
struct SettledBatch {
  std::uint64_t number = 0;
  std::uint64_t floor = 1;  // the new batch floor
  bool enters_history = false;
  Bytes plain;
  struct Cost {
    MessageId id = 0;
    std::int64_t frame_bytes = 0;  // its part of the batch's frames; the parts add up exactly
  };
  std::vector<Cost> messages;
};

// A finished message and why.
struct Finished {
  MessageId id = 0;
  State state = State::kExpired;
  DropReason reason = DropReason::kNone;
};

// The wall clock as it was last believed: at `boot` of the boot named `boot_id` it was `wall`.
struct BelievedTime {
  std::string boot_id;
  BootTime boot;
  WallTime wall;
};

class Store {
 public:
  // What the file at `path` knows of the time, for a clock that is asked before the store is open. Nothing: it
  // never knew, there is no file, or it cannot be read (open() then says why).
  static std::optional<BelievedTime> last_believed(const std::string& path);
  // Opens or creates the file, migrates it, checks its integrity (quick_check), notes this boot. A damaged one
  // is moved aside, and what can be read of it taken over (salvage.hpp): `salvaged` tells. `classes` are the
  // configured names, most urgent first. `clock` must outlive the store. Error: what is wrong with the file.
  static Result<std::unique_ptr<Store>> open(const std::string& path, const std::vector<std::string>& classes,
                                             const Clock& clock, std::optional<Salvaged>* salvaged = nullptr);
  ~Store();

  PeerId peer(const std::string& name);        // found or created
  std::int64_t link(const std::string& name);  // found or created
  // The sinks that are configured now; their bits (0..62), same order. What one that is gone was owed passes to
  // those that are new, or else, where no sink has had it yet, to all; `gone` tells how much. Throws if there
  // are more than 63.
  struct GoneSinks {
    std::int64_t moved = 0;      // owed to others now
    std::int64_t elsewhere = 0;  // ended: every other sink has had it
    std::int64_t stay = 0;       // owed, and no sink is configured
  };
  std::vector<int> set_sinks(const std::vector<std::string>& names, GoneSinks* gone = nullptr);

  // Accepts messages: numbers them, stores them, counts them. Copies (Meshtastic packets seen on that mesh
  // within 30 days) are counted only. Result: same order.
  std::vector<Accepted> accept(std::span<const NewMessage> messages);
  // In the transaction that accepts them: what a source's broker may deliver again. The last kMarks are kept,
  // oldest first.
  static constexpr std::int64_t kMarks = 1000;
  void remember(const std::string& source, std::span<const BrokerMark> marks);
  std::vector<BrokerMark> marks(const std::string& source);
  // A queue of a million messages is loaded in parts of this size, as there is no room for it twice.
  static constexpr std::size_t kPart = 8192;
  static constexpr std::size_t kAll = std::numeric_limits<std::int64_t>::max();
  // What is unfinished towards the sinks, ascending by id, with the sinks each is owed to.
  std::vector<std::pair<Entry, std::uint64_t>> load_edge(MessageId after = 0, MessageId upto = kNoEnd,
                                                         std::size_t limit = kAll);
  static constexpr MessageId kNoEnd = std::numeric_limits<MessageId>::max();
  MessageId last_message();  // the highest id given

  // The link's sending side. Loading it begins a new life: what was in flight is queued again, a block of batch
  // numbers is reserved, the history above the floor is cut.
  SendState load_send(PeerId peer, std::size_t limit = kAll);
  // What is queued for that peer with an id above `after`, ascending.
  std::vector<Entry> queued(PeerId peer, MessageId after, std::size_t limit);
  // A new name for the same numbers; the sending history is dropped.
  std::uint64_t renew_incarnation(PeerId peer);
  // Reserves `count` more batch numbers; returns the end of the reserved block. Durable before use.
  std::uint64_t reserve_batches(PeerId peer, std::uint64_t count);
  // Goes on with the next block of message numbers, since of this one most that are set aside are used. Its
  // first.
  std::uint64_t next_block(PeerId peer);
  void mark_in_flight(std::span<const MessageId> ids, std::uint64_t batch);
  void mark_queued(std::span<const MessageId> ids);  // their batch was given up
  // The peer has it on disk: its messages are delivered, its text enters the history. Returns the payload and
  // frame bytes by which the link's totals grew.
  LinkBytes settle(PeerId peer, std::int64_t link, const SettledBatch& batch);
  // The sending one. Batches below `from` do not enter it any more, however late they are settled: writes that
  // failed are tried again in any order. As those are of this process, that is kept in memory.
  void clear_history(PeerId peer, std::uint64_t from);
  void raise_floor(PeerId peer, std::uint64_t floor);

  // The link's receiving side.
  ReceiveState load_receive(PeerId peer);
  // The peer began anew: all batches below `floor` are closed, nothing else is known.
  void reset_receive(PeerId peer, std::uint64_t incarnation, std::uint64_t floor);
  // Closes numbers without a batch and removes them from the receiving history. `life`: the peer's.
  void void_batches(PeerId peer, std::uint64_t first, std::uint64_t count, std::uint32_t life);
  struct Received {
    std::vector<Accepted> accepted;  // what is new, as it was accepted for the edge
    LinkBytes bytes;                 // payload by which the link's totals grew
  };
  // Stores a batch once; a batch that was here before brings nothing. Throws for one that would leave more than
  // 65,536 intervals of numbers: the link then says that the store refuses, and the sender keeps its messages.
  Received receive(PeerId peer, std::int64_t link, const ReceivedBatch& batch);

  // Ends of stories. Unknown or finished ids are skipped: the count of those that changed is returned.
  std::int64_t finish(std::span<const Finished> messages);
  std::int64_t deliver_to_sink(std::span<const MessageId> ids, int bit) {
    return release(ids, bit, DropReason::kNone);
  }
  // The sink will not have it: owed to one less; dropped with that reason when no sink took it.
  std::int64_t release(std::span<const MessageId> ids, int bit, DropReason why);
  // One message's story ends at one sink, delivered or with `state` (and `why`, if dropped); its own end is the
  // last sink's, or delivered where any sink took it. Nothing if it was not owed there.
  std::int64_t end_at_sink(MessageId id, int bit, State state, DropReason why);
  bool reclassify(MessageId id, ClassId cls);

  // Books wire and session bytes of a link; the wire bytes of this group are spread over the messages that were
  // settled in it, by frame bytes, largest remainder; without any they stand under no class.
  void book(std::int64_t link, const LinkBytes& bytes);
  // The running session's count so far, kept for the peer's report after a crash.
  void note_session(std::int64_t link, std::uint64_t session, std::int64_t up, std::int64_t down);

  struct SessionNote {
    std::uint64_t session = 0;
    std::int64_t up = 0, down = 0;
  };
  SessionNote session_note(std::int64_t link);
  // Lifetime totals of a link.
  LinkBytes totals(std::int64_t link);

  // Erases bodies of messages that were delivered `keep` ago or earlier, and stories finished `keep_story` ago;
  // at most `limit` rows. Returns rows touched.
  std::int64_t erase_old(Millis keep, Millis keep_story, std::int64_t limit = 500);
  // Moves usage that was booked before the clock was believable to its time, and what was booked more than a
  // day ahead of a clock that has gone on without a step for an hour to now: it would count in every cycle
  // until then. To be called every few minutes; does nothing while the clock is not believable. Returns the
  // wire bytes that were ahead.
  std::int64_t date_usage();

  // The runner's part.
  Database& database() { return db_; }
  void flush();   // before COMMIT
  void forget();  // after ROLLBACK: drops what is only in memory
  // After COMMIT and its answers: once for each erase_old(), takes erased text out of the write-ahead log, and
  // gives empty pages back in small steps. Waits for no reader: what one holds up is done the next time.
  void tidy();
  // Closing will not move the log into the file, which is damaged: the salvage reads both as they are.
  void leave_log();

  // Message numbers next..end-1 are reserved on disk and not given yet.
  struct NumberBlock {
    std::uint64_t next = 1, end = 1;
  };

 private:
  Store(const std::string& path, const Clock& clock);
  // `damage`: what is wrong with the file, if it is the file; then there is no store.
  static std::unique_ptr<Store> open_sound(const std::string& path, const std::vector<std::string>& classes,
                                           const Clock& clock, std::string& damage);
  struct Statements;
  struct Row;
  struct SettledPart;

  void setup(const std::vector<std::string>& classes);
  void note_boot();
  Millis boot_offset(std::int64_t boot_row);
  bool is_steady(WallTime now);
  GoneSinks pass_on(std::uint64_t left, std::uint64_t kept, std::uint64_t fresh);
  NodeId node(const std::string& name);
  ClassId class_id(std::int64_t row) const;
  // When this write group runs; `wall` is empty while the clock is not believable.
  struct Moment {
    std::optional<WallTime> wall;
    std::int64_t day = 0;  // since 1970
  };
  const Moment& moment();
  std::optional<WallTime> wall();
  std::optional<std::int64_t> wall_ms();
  std::int64_t today();
  Accepted accept_one(const NewMessage& message);
  MessageId insert(const NewMessage& message, const Entry& entry, State state);
  bool first_seen(const NewMessage& message);
  NumberBlock& numbers(PeerId peer);
  std::uint64_t next_number(PeerId peer);
  void reserve_numbers(PeerId peer);
  std::vector<SenderLife> begin_life(PeerId peer);
  std::optional<Row> unfinished(MessageId id);
  void finish_row(const Row& row, State state, DropReason reason);
  Entry entry_from(const Statement& row);
  ReceiveState& received(PeerId peer);
  void save_runs(const char* table, PeerId peer, const NumberSet& set, const NumberSet::Touched& touched);
  void save_received(PeerId peer, const NumberSet::Touched& numbers, const NumberSet::Touched& batches);
  void add_history(PeerId peer, bool outgoing, const HistoryPart& part, std::int64_t keep);
  std::vector<HistoryPart> load_history(PeerId peer, bool outgoing);
  void spread_wire();
  std::int64_t prune(Millis keep_story, std::int64_t limit);
  std::int64_t prune_seen(std::int64_t limit);
  void prune_usage();

  Database db_;
  const Clock* clock_;
  std::int64_t boot_row_ = 0;
  BootTime boot_noted_{};
  std::optional<BootTime> usage_pruned_;
  std::optional<std::pair<BootTime, WallTime>> steady_since_;  // as date_usage() sees the clock
  bool erased_ = false;                                        // since the log was last emptied
  bool tidy_due_ = false;                                      // erase_old() ran since the last tidy()
  std::vector<std::int64_t> class_rows_;                       // by ClassId
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Statements> sql_;

  // Caches of what the file says; forget() empties them, but gives no number twice.
  std::unordered_map<std::string, NodeId> nodes_;
  std::unordered_map<std::int64_t, Millis> boot_offsets_;
  std::unordered_map<PeerId, NumberBlock> numbers_;
  std::unordered_map<PeerId, std::uint64_t> life_began_;  // with which batch number
  std::unordered_map<PeerId, ReceiveState> received_;
  std::unordered_map<PeerId, std::uint64_t> history_from_;  // stays on a rollback: that is tried again

  // Of this write group: what was settled on which link, to spread the booked wire bytes over.
  std::vector<SettledPart> settled_;
  std::map<std::int64_t, LinkBytes> booked_;
  std::optional<Moment> moment_;
};

}  // namespace tulpar::queue
