// SPDX-License-Identifier: Apache-2.0
//
// One side of the link for explore.hpp: the real session, sender, receiver and scheduler over a store in
// memory, wired as LinkPeer wires them (gateway/link/peer_host.cpp). Time stands still: whatever waits, waits
// for a step.
//
// save() and load() copy all of it; key() names its state: two sides with the same key do the same from there
// on (explore_test.cpp checks that). A broken invariant throws std::runtime_error.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "gateway/link/session.hpp"
#include "tests/gateway/link/explore_disk.hpp"

namespace tulpar::link::explore {

inline constexpr BootTime kNow{std::chrono::hours(10)};

class Party final : public OutgoingHost, public IncomingHost {
 public:
  struct Options {
    std::string name;
    bool initiator = false;
    std::vector<Mail> mail;                        // that it accepts, in this order
    std::size_t batch = 512, frame = kLeastFrame;  // bytes: of a batch's plain text, of a frame
    Flaw flaw = Flaw::kNone;
  };
  struct Job {
    Write write;
    bool durable = false;  // repeated until it is committed
    bool heard = false;    // by a flaw, before it was committed
  };
  // All that is not in the objects of gateway/link.
  struct Held {
    Disk disk;
    Disk::Life life;
    std::deque<Job> jobs;       // with the store
    std::deque<Write> waiting;  // durable ones, after a failure
    bool trying = false;        // one of those that waited is with the store
    std::vector<queue::Entry> reading;
    std::deque<std::size_t> offered;  // mail that is not accepted yet
    bool online = false, renewing = false;
    std::uint64_t highest_batch = 0;  // that was ever used
    std::optional<Disk> backup;
  };
  struct Saved;

  Party(Options options, BatchCodec& codec);
  ~Party() override;

  // Steps. REQUIRES: what the comment says.
  void accept();                 // something is offered
  void store(bool ok);           // has jobs: the first is committed, or refused, and it hears of that
  void retry();                  // some wait
  void read(bool fail);          // is reading
  void drop();                   // the scheduler holds something: the operator drops the last of it
  void connect();                // offline
  void disconnect();             // online
  void receive(ByteView frame);  // online
  // The next frame, or nothing. `late`: it waited so long that even an unchanged acknowledgement is due.
  Bytes frame(bool late);
  // Before it, the first `committed` jobs came to the disk. (Nobody sees a commit but a crash and the answer,
  // so that no other moment for it has to be explored.)
  void crash(std::size_t committed);
  void restore();  // has a backup

  const Options& options() const { return options_; }
  const Held& held() const { return held_; }
  Held& held() { return held_; }
  const queue::Scheduler& scheduler() const { return *scheduler_; }
  const Outgoing& outgoing() const { return *outgoing_; }
  const Session& session() const { return *session_; }
  bool idle() const;
  // Nothing was heard for so long that the transport is given up.
  bool overdue() const { return held_.online && session_->overdue(kNow + std::chrono::hours(1)); }
  // No message has left the scheduler, the batches and the store's jobs without an end.
  void check() const;
  // What was asked of the store and is not known here to be done.
  void for_each_write(const std::function<void(const Write&)>& visit) const;

  std::shared_ptr<const Saved> save() const;
  void load(const Saved& saved);
  std::uint64_t key() const;

 private:
  // OutgoingHost
  void load(const std::vector<queue::Entry>& entries) override { held_.reading = entries; }
  void drop(const std::vector<queue::Entry>& entries, queue::DropReason why) override;
  void reserve(std::uint64_t count) override { durable(Reserve{count}); }
  void begin(std::uint64_t batch, std::vector<queue::MessageId>) override;
  void settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) override;
  void given_back(const std::vector<queue::Entry>&) override {}
  void clear_history(std::uint64_t) override { durable(ClearHistory{}); }
  void raise_floor(std::uint64_t floor) override { durable(RaiseFloor{floor}); }
  // IncomingHost
  void store(ArrivedBatch batch) override;
  void void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) override {
    post(Close{first, count, life});
  }
  void reset(std::uint64_t incarnation, std::uint64_t floor) override { post(Reset{incarnation, floor}); }

  void start();
  void rebuild_scheduler(const std::vector<queue::Entry>& queued);
  bool hears_early(const Job& job) const;
  std::optional<std::uint64_t> commit();
  void offer(const Mail& mail);
  void post(Write write) { held_.jobs.push_back({std::move(write)}); }
  void durable(Write write);
  void hear(const Write& write, bool ok, std::uint64_t value);
  void finish(const std::vector<queue::Entry>& entries);

  Options options_;
  BatchCodec* codec_;
  Held held_;
  std::optional<queue::Scheduler> scheduler_;
  std::optional<Outgoing> outgoing_;
  std::optional<Incoming> incoming_;
  std::optional<Session> session_;
};

}  // namespace tulpar::link::explore
