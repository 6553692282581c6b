// SPDX-License-Identifier: Apache-2.0
//
// Two peers with real stores, a link between them that can break anywhere, and faults: for two_party_test.cpp.
//
// Everything happens in the steps that the test takes: a write is in the store's queue until commit() runs it, an answer
// waits until answer() delivers it, a frame travels until deliver() hands it over. A crash forgets all of that but the file.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

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
  void clear_history() override;
  void raise_floor(std::uint64_t floor) override;
  void store(ArrivedBatch batch) override;
  void void_batches(std::uint64_t first, std::uint64_t count) override;
  void reset(std::uint64_t incarnation, std::uint64_t floor) override;

  bool idle() const { return jobs_.empty() && answers_.empty() && reads_.empty(); }
  std::int64_t query(const std::string& sql) { return file->database().query_int(sql); }
  queue::NumberSet closed_on_disk();

  std::string path;
  std::unique_ptr<queue::Store> file;
  std::unique_ptr<queue::StoreReader> reader;
  std::unique_ptr<queue::Scheduler> scheduler;
  std::unique_ptr<Outgoing> outgoing;
  std::unique_ptr<Incoming> incoming;
  std::unique_ptr<Session> session;
  std::uint64_t renewals = 0, dropped = 0, accepted = 0;

 private:
  struct Job {
    std::function<void(queue::Store&)> run;
    std::function<void(bool ok)> done;
    bool may_fail = false;
  };
  void post(std::function<void(queue::Store&)> run, std::function<void(bool)> done = [](bool) {}, bool may_fail = false) {
    jobs_.push_back({std::move(run), std::move(done), may_fail});
  }

  queue::FakeClock* clock_;
  bool initiator_;
  bool renewing_ = false;
  BatchCodec codec_;
  queue::PeerId peer_ = 0;
  std::int64_t link_ = 0;
  std::deque<Job> jobs_;
  std::deque<std::function<void()>> answers_;
  std::deque<std::vector<queue::Entry>> reads_;
};

class World {
 public:
  World();
  Side& side(int index) { return *sides_[index]; }
  bool linked() const { return linked_; }
  void connect();
  // What is under way is lost; each side hears of it when notice() tells it.
  void break_link();
  bool notice(int index);
  // Gives the transport one frame of that side; checks what is in it.
  bool send(int index, std::size_t limit);
  bool deliver(int from);
  void crash(int index);
  // Keeps a copy of the file of a stopped side, or brings it back. The side is running afterwards.
  void backup(int index);
  void restore(int index);
  // One of everything that can be done without a fault.
  void settle_down(int rounds);
  bool done() const;
  // Throws std::runtime_error with what does not hold.
  void check_books();
  void check_end(bool exactly_once);

  queue::FakeClock clock;
  std::uint64_t lost = 0, refused = 0, byes = 0, frames = 0;
  bool check_contents = true;  // off once a file was brought back: then a number may be used twice

 private:
  void inspect(int index, ByteView frame);
  void inspect_fragment(int index, const Fragment& fragment);
  void require(bool holds, const std::string& what) const;

  queue::TempDir dir_;
  std::unique_ptr<Side> sides_[2];
  std::deque<Bytes> wire_[2];  // by sender
  bool linked_ = false, noticed_[2] = {true, true};
  std::uint64_t sessions_ = 0;
  // What each batch number of a side was seen to hold; bytes not seen yet are -1.
  std::map<std::tuple<int, std::uint64_t, std::uint64_t>, std::vector<int>> contents_;
};

}  // namespace tulpar::link
