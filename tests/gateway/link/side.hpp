// SPDX-License-Identifier: Apache-2.0
//
// One peer with a real store, and what the program around it does: it runs the store's jobs and hands back the
// answers.
//
// A write waits until commit() runs it, its answer until answer() delivers it. stop() is a crash: all but the
// file is gone.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>

#include "gateway/link/session.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::link {

// Classes without long waits, so that a few seconds of the simulation show everything.
inline std::vector<config::MessageClass> quick_classes() {
  auto classes = config::default_classes();
  for (auto& cls : classes) cls.hold = std::min(cls.hold, Millis{500});
  classes[3].ttl = Millis{20'000};
  return classes;
}

class Side final : public OutgoingHost, public IncomingHost {
 public:
  Side(const std::string& path, queue::FakeClock& clock, bool initiator);

  // Steps. Each returns false if there was nothing to do.
  bool commit(std::size_t jobs, bool fail = false);
  bool answer();
  bool read(bool fail = false);
  void accept(queue::ClassId cls, std::size_t size, std::uint32_t kind = 0);
  void end_some();  // what has expired or was replaced
  void start();
  void stop();
  // What the owner of a session does between frames: ends what must end, takes a new incarnation.
  void tend();

  void load(const std::vector<queue::Entry>& entries) override { reads_.push_back(entries); }
  void drop(const std::vector<queue::Entry>& entries, queue::DropReason why) override;
  void reserve(std::uint64_t count) override;
  void begin(std::uint64_t batch, std::vector<queue::MessageId> ids) override;
  void settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) override;
  void given_back(const std::vector<queue::Entry>& entries) override;
  void clear_history(std::uint64_t from) override;
  void raise_floor(std::uint64_t floor) override;
  void store(ArrivedBatch batch) override;
  void void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) override;
  void reset(std::uint64_t incarnation, std::uint64_t floor) override;

  bool idle() const { return jobs_.empty() && answers_.empty() && reads_.empty(); }
  std::int64_t query(const std::string& sql) { return file->database().query_int(sql); }
  queue::NumberSet closed_on_disk();
  // By topic: what it counts as delivered, or will once its store has written it.
  std::set<std::string> told();

  std::string path;
  std::unique_ptr<queue::Store> file;
  std::unique_ptr<queue::StoreReader> reader;
  std::unique_ptr<queue::Scheduler> scheduler;
  std::unique_ptr<Outgoing> outgoing;
  std::unique_ptr<Incoming> incoming;
  std::unique_ptr<Session> session;
  std::uint64_t renewals = 0, dropped = 0, accepted = 0;
  std::set<std::string> promised;  // topics whose message was reported as accepted

 private:
  struct Job {
    std::function<void(queue::Store&)> run;
    std::function<void(bool ok)> done;
    bool may_fail = false;
  };
  void post(
      std::function<void(queue::Store&)> run, std::function<void(bool)> done = [](bool) {},
      bool may_fail = false) {
    jobs_.push_back({std::move(run), std::move(done), may_fail});
  }

  queue::FakeClock* clock_;
  bool initiator_;
  bool renewing_ = false;
  BatchCodec codec_;
  queue::PeerId peer_ = 0;
  std::int64_t link_ = 0;
  std::set<queue::MessageId> settled_;  // since it was started
  std::deque<Job> jobs_;
  std::deque<std::function<void()>> answers_;
  std::deque<std::vector<queue::Entry>> reads_;
};

}  // namespace tulpar::link
