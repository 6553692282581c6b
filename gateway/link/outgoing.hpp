// SPDX-License-Identifier: Apache-2.0
//
// The sending side of one direction: picks messages, makes batches, hands out their bytes, settles what is
// acknowledged.
//
// Pure, on the loop thread; everything slow (bodies, the store) is asked of an OutgoingHost and answered later
// by the on_* calls, in order, never from inside the asking call (load() excepted). Lives as long as the peer
// is known: sessions and transports come and go.
//
// Invariants (FORMAT.md, "Numbers and who keeps them"):
// (1) a batch number is used only below the end of a block that is reserved on disk, and for one content;
// (2) the settled mark that leaves here covers only messages whose end is on disk;
// (3) a base names only batches that the peer acknowledged and that were not given up;
// (4) an entry is at each moment in exactly one place: the scheduler, a batch here, or finished.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "gateway/link/batch.hpp"
#include "gateway/link/batch_numbers.hpp"
#include "gateway/link/frame.hpp"
#include "gateway/link/message_numbers.hpp"
#include "gateway/link/unstored.hpp"
#include "queue/scheduler.hpp"
#include "queue/store.hpp"

namespace tulpar::link {

// What the sending side asks of the world around it.
class OutgoingHost {
 public:
  virtual ~OutgoingHost() = default;
  // → Outgoing::on_loaded with the bodies that are there, or on_load_failed; at once or later. Either all of
  // the entries are rows of the store or none is (unstored.hpp); either all are at hand or none is.
  virtual void load(const std::vector<queue::Entry>& entries) = 0;
  // Loading it asks no disk.
  virtual bool at_hand(const queue::Entry& entry) const { return is_unstored(entry); }
  // Cannot be sent for good, and why: their bodies are unreadable, or the peer refused each alone. To be
  // dropped, loudly.
  virtual void drop(const std::vector<queue::Entry>& entries, queue::DropReason why) = 0;
  // → Outgoing::on_reserved once durable, however long that takes.
  virtual void reserve(std::uint64_t count) = 0;
  virtual void begin(std::uint64_t batch, std::vector<queue::MessageId> ids) = 0;
  // → Outgoing::on_settled with these message numbers once durable.
  virtual void settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) = 0;
  // They are in the scheduler again; to be noted on disk.
  virtual void given_back(const std::vector<queue::Entry>& entries) = 0;
  // Batches below `from` do not enter it any more, also where their settle() is still under way.
  virtual void clear_history(std::uint64_t from) = 0;
  virtual void raise_floor(std::uint64_t floor) = 0;
};

struct OutgoingConfig {
  std::vector<std::string> class_names;  // by ClassId
  std::vector<bool> class_in_history;    // by ClassId; bulk is not
};

class Outgoing {
 public:
  Outgoing(OutgoingConfig config, queue::Scheduler& scheduler, BatchCodec& codec, OutgoingHost& host,
           queue::SendState state);

  // What follows where state.more says so, before anything else is asked of this; the last part without `more`.
  void load(std::span<const queue::Entry> entries, bool more);

  // Messages with their heads must fit a batch whatever the link's rate.
  static constexpr std::size_t kMaxTarget = 512u << 10;

  // How large the next batches' plain text should be (about a second of the link), and up to which size other
  // classes ride along (200 ms of it); bytes.
  void set_target(std::size_t bytes, std::size_t company) {
    target_ = std::min(bytes, kMaxTarget);
    company_ = company;
  }

  // The sender's part of a greeting.
  void describe(Greeting& greeting);
  // The peer greeted: its acknowledgements, what it has of open batches. `fresh`: it does not know our
  // incarnation. Error: one of the two is older than what was said before; this side takes a new incarnation
  // (FORMAT.md, "Greeting").
  Result<void> on_greeting(const Greeting& peer, bool fresh, BootTime now);
  void on_connected();
  void on_disconnected();

  // Asks for the next batch if one should be made now. To be called whenever the transport could take a frame.
  void prepare(BootTime now);
  // True if fill() would put something into a frame now: a begun batch whose class was paused does not count.
  bool has_bytes(BootTime now) const;
  // Puts voids and fragments into the frame, the most urgent first. Until the peer has greeted in this session
  // only urgent batches without a base leave.
  void fill(FrameBuilder& frame, BootTime now);

  // `unread`: the host keeps them, and gives them back to the scheduler some time.
  void on_loaded(std::vector<queue::Body> bodies, BootTime now, std::span<const queue::MessageId> unread = {});
  // Makes a batch at once, beside one whose bodies may be on their way. REQUIRES: may_make(their class), and
  // they are neither in the scheduler nor in a batch.
  void make(std::vector<queue::Entry> entries, std::vector<queue::Body> bodies, BootTime now);
  // False while the disk, the peer's greeting or its acknowledgements have to be waited for.
  bool may_make(queue::ClassId cls) const;
  // prepare() would begin a batch now.
  bool wants_batch(BootTime now) const;
  void on_load_failed();
  void on_reserved(std::uint64_t end) { numbers_.on_reserved(end); }
  // The store has accepted a message under this number.
  void on_accepted(std::uint64_t number) { messages_.accepted(number); }
  MessageNumbers& message_numbers() { return messages_; }
  void on_settled(std::span<const std::uint64_t> numbers);
  // Messages that ended otherwise (expired, dropped, conflated), durable.
  void on_finished(std::span<const std::uint64_t> numbers) { on_settled(numbers); }

  // Error: acknowledges what was never sent.
  Result<void> on_ack(const Ack& ack, BootTime now);
  void on_lost(std::uint64_t batch);
  void on_refused(std::uint64_t batch);
  // This direction has a new incarnation: everything open is given up.
  void on_renewed(std::uint64_t incarnation);

  std::size_t in_flight_bytes() const;  // encoded, of open batches, not yet acknowledged
  // Bodies are on their way from the store.
  bool loading() const { return !loading_.empty(); }
  std::size_t open_batches() const { return open_.size(); }
  // When the oldest batch that is wholly sent was; nothing: none waits for an acknowledgement.
  std::optional<BootTime> waiting_since() const;
  // Topic and payload bytes of a class's messages in open batches, and how many these are; being loaded counts.
  std::size_t in_flight_bytes(queue::ClassId cls) const;
  std::size_t in_flight_messages(queue::ClassId cls) const;
  // The last measured time from a batch's last byte to its acknowledgement.
  std::optional<Millis> last_round_trip() const { return round_trip_; }

 private:
  struct Open {
    std::vector<queue::Entry> entries;
    Bytes bytes, plain;
    bool enters_history = false, has_base = false, urgent = false;
    queue::ClassId cls = 0;           // the most urgent in it
    std::size_t sent = 0;             // the first `sent` bytes were handed out in this session
    std::int64_t frame_bytes = 0;     // handed out in all
    std::uint64_t base_at = 0;        // of entered_: what the peer's history had when this was made
    std::optional<BootTime> sent_at;  // the last byte
  };

  using OpenBatches = std::map<std::uint64_t, Open>;

  void keep_apart();
  void close(OpenBatches::iterator batch, BootTime now);
  Result<void> apply(const Ack& ack, BootTime now);
  void give_up(OpenBatches::iterator batch);
  void give_up_those_with_base();
  void forget_history();
  std::uint64_t base_at() const;
  bool room_in_history(std::size_t plain) const;
  OpenBatches::const_iterator next_to_send(BootTime now) const;
  queue::ClassSet unfinished() const;
  bool may_leave(const Open& batch) const;
  std::vector<LinkMessage> take_messages(std::vector<queue::Body> bodies, std::vector<queue::Entry>& entries,
                                         BootTime now);

  OutgoingConfig config_;
  queue::Scheduler* scheduler_;
  BatchCodec* codec_;
  OutgoingHost* host_;
  OpenBatches open_;
  BatchNumbers numbers_;
  MessageNumbers messages_;
  std::uint64_t incarnation_;
  std::vector<queue::SenderLife> lives_;  // queue::SendState::lives
  std::uint64_t life_began_;              // the first batch number of this life
  std::set<queue::MessageId> alone_;      // were in a batch that was refused
  History history_{kBaseWindow};
  std::uint64_t history_from_ = 1;  // batches below do not enter it any more: the peer has others between them
  std::uint64_t entered_ = 0;       // bytes of all batches made that enter the peer's history
  bool greeted_ = false;
  std::size_t target_ = 2048, company_ = 512;
  std::vector<queue::Entry> loading_;
  std::optional<Millis> round_trip_;
};

}  // namespace tulpar::link
