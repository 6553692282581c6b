// SPDX-License-Identifier: Apache-2.0
//
// The receiving side of one direction: puts batches together, expands them, has them stored, acknowledges them.
//
// Pure, on the loop thread; the store is asked through IncomingHost and answers later by the on_* calls, in
// order. Lives as long as the peer is known. Memory per peer: 4 MiB of unfinished batches, 256 KiB of history,
// and the number sets.
//
// Invariants:
// (1) a number is acknowledged only after the transaction that closed it is committed;
// (2) a batch is stored whole or not at all, each of its messages at most once, whatever arrives how often;
// (3) nothing that the peer says allocates more than the bounds above.
#pragma once

#include <map>
#include <set>

#include "gateway/link/batch.hpp"
#include "gateway/link/frame.hpp"
#include "queue/store.hpp"

namespace tulpar::link {

inline constexpr std::size_t kMaxUnfinishedBytes = 4u << 20;

// A batch that was expanded and waits to be stored.
struct ArrivedBatch {
  queue::ReceivedBatch batch;  // without messages: the host classifies them
  std::vector<LinkMessage> messages;
};

class IncomingHost {
 public:
  virtual ~IncomingHost() = default;
  // → Incoming::on_stored
  virtual void store(ArrivedBatch batch) = 0;
  // → Incoming::on_voided. `life`: the peer's.
  virtual void void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) = 0;
  // → Incoming::on_reset
  virtual void reset(std::uint64_t incarnation, std::uint64_t floor) = 0;
};

class Incoming {
 public:
  Incoming(BatchCodec& codec, IncomingHost& host, queue::ReceiveState state);
  void on_disconnected();

  void describe(Greeting& greeting) const;
  // Error: the peer's state is older than ours (bye 5).
  Result<void> on_greeting(const Greeting& peer);

  // Error: malformed, or beyond the bounds (bye 1).
  Result<void> on_fragment(const Fragment& fragment, BootTime now);
  // Error: beyond the bounds (bye 1).
  Result<void> on_void(const Void& closed, BootTime now);

  void on_stored(std::uint64_t number, bool ok, BootTime now);
  void on_voided(std::uint64_t first, std::uint64_t count, bool ok, BootTime now);
  void on_reset(bool ok);

  // The round trip, for the longest wait of an acknowledgement: min(rtt / 4, 150 ms).
  void set_round_trip(Millis rtt);
  // When an acknowledgement (or a lost, a refused) must leave; nothing: none is owed.
  std::optional<BootTime> ack_due() const { return in_doubt() ? std::nullopt : ack_due_; }
  // Puts what is owed into the frame.
  void fill(FrameBuilder& frame);
  // True once the store refused something: the session ends with bye 6.
  bool refused() const { return refused_; }

  std::uint64_t peer_incarnation() const { return incarnation_; }

 private:
  struct Unfinished {
    Bytes bytes;
    std::map<std::size_t, std::size_t> ranges;  // [first, end) that are here
    std::optional<std::size_t> size;
    std::size_t have() const;  // from the start
    bool whole() const { return size && have() == *size; }
    void add(const Fragment& fragment);
  };
  // What goes into the history once it is on disk.
  struct Storing {
    std::size_t size = 0;
    bool urgent = false, enters_history = false;
    std::uint64_t highest = 0;  // message number
    Bytes plain;
  };
  // The disk does not know of this life of the peer yet (or refused to): what is here in memory is not to be
  // acknowledged.
  bool in_doubt() const { return resets_ > 0 || incarnation_ == 0; }
  bool known(std::uint64_t number) const { return closed_.contains(number) || storing_.contains(number); }
  void expand_whole(BootTime now);
  void expand(std::uint64_t number, Unfinished unfinished, BootTime now);
  void refuse(std::uint64_t number, BootTime now);
  void owe_ack(BootTime now, bool at_once);
  Ack ack() const;
  void drop_whole();
  void drop_unfinished(std::uint64_t first, std::uint64_t end);
  // False: the disk has been asked for all of them before.
  bool void_numbers(std::uint64_t first, std::uint64_t end);

  BatchCodec* codec_;
  IncomingHost* host_;
  std::uint64_t incarnation_;
  std::uint32_t life_;       // the peer's, in this session or the last; on disk: with the next write
  queue::NumberSet closed_;  // on disk
  std::map<std::uint64_t, Storing> storing_;
  std::size_t storing_bytes_ = 0;  // their plain texts
  queue::NumberSet voiding_;       // asked of the disk, in this life
  std::map<std::uint64_t, Unfinished> unfinished_;
  std::size_t unfinished_bytes_ = 0;
  History history_{kReceiverKeeps};
  std::set<std::uint64_t> lost_, refused_batches_;
  std::uint64_t numbers_end_;  // above every message number that is here
  std::uint64_t bound_ = 1;    // above every number that was voided, on disk or on its way there
  int waiting_acks_ = 0;
  Millis ack_wait_{150};
  std::optional<BootTime> ack_due_;
  int resets_ = 0;  // on their way to the disk
  bool refused_ = false;
};

}  // namespace tulpar::link
