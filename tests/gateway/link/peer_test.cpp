// SPDX-License-Identifier: Apache-2.0
//
// Two peers with real stores over a transport in memory: what the programs see of a link.
#include "gateway/link/peer.hpp"

#include <random>

#include "tests/catch.hpp"
#include "tests/gateway/link/side.hpp"

namespace tulpar::link {
namespace {

// Runs each job at once on a real store, or refuses it; the answer comes when the test turns the loop.
class TurnedRunner : public queue::StoreRunner {
 public:
  explicit TurnedRunner(queue::StoreFixture& files) : files_(files), reader_(files.path) {}
  void submit(WriteJob job) override {
    const bool refused = refuse;
    if (!refused) queue::commit(*files_.store, job.run);
    answers_.push_back([job = std::move(job), refused] {
      const Error full{"disk I/O error"};
      job.done(refused ? &full : nullptr);
    });
  }
  void submit(ReadJob job) override {
    job.run(reader_);
    answers_.push_back([job = std::move(job)] { job.done(nullptr); });
  }
  bool turn() {
    if (answers_.empty()) return false;
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
    return true;
  }
  bool refuse = false;

 private:
  queue::StoreFixture& files_;
  queue::StoreReader reader_;
  std::deque<std::function<void()>> answers_;
};

// Text that does not shrink.
std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string text(size, ' ');
  for (auto& letter : text) letter = static_cast<char>(random());
  return text;
}

// One end of a pair. Every frame costs 40 bytes of headers, as over TCP and TLS.
class MemoryTransport : public Transport {
 public:
  void set_events(Events events) override { events_ = std::move(events); }
  std::size_t frame_limit() const override { return 240; }
  bool can_send(BootTime) override { return !ended && other && other->inbox.size() < 2 && frames_left > 0; }
  void send(Bytes frame, BootTime) override {
    --frames_left;
    count.up += frame.size() + 40;
    if (other) other->count.down += frame.size() + 40;
    if (other) other->inbox.push_back(std::move(frame));
  }
  std::optional<BootTime> next_wake(BootTime now) const override { return now; }  // open all the time
  bool stalled(BootTime) const override { return false; }
  void idle() override {}
  void close(std::string why) override { ending = std::move(why); }
  void abort(const std::string& why) override { end(why); }
  WireCount wire() override { return count; }
  std::optional<Millis> round_trip() const override { return std::nullopt; }
  std::uint64_t rate_bps() const override { return 9600; }
  std::string peer_address() const override { return "memory"; }

  bool turn() {
    if (ended) return false;
    if (!inbox.empty()) {
      const Bytes frame = std::move(inbox.front());
      inbox.pop_front();
      if (events_.received) events_.received(frame);
      return true;
    }
    if (ending.empty()) return false;
    end(ending);
    return true;
  }
  void end(const std::string& why) {
    if (std::exchange(ended, true)) return;
    if (other) std::exchange(other, nullptr)->lose();
    if (events_.closed) events_.closed(why);
  }
  void lose() {
    other = nullptr;
    ending = "the other side is gone";
  }
  MemoryTransport* other = nullptr;
  std::deque<Bytes> inbox;
  std::string ending;
  bool ended = false;
  WireCount count;
  int frames_left = 100'000;

 private:
  Events events_;
};

struct End {
  queue::StoreFixture files;
  TurnedRunner runner{files};
  BatchCodec codec;
  std::unique_ptr<LinkPeer> peer;
  std::vector<std::string> arrived;
  std::string why;
  int settled = 0;

  void open(bool initiator) {
    PeerHooks hooks;
    hooks.classify = [](LinkMessage message) {
      queue::NewMessage made;
      made.peer = queue::kEdge;
      made.cls = 2;
      made.node = "n";
      made.sinks = 1;
      made.topic = std::move(message.topic);
      made.payload = std::move(message.payload);
      return made;
    };
    hooks.arrived = [this](const std::vector<queue::Accepted>& messages) {
      for (const auto& message : messages) arrived.push_back(std::to_string(message.entry.bytes));
    };
    hooks.settled = [this] { ++settled; };
    hooks.disconnected = [this](const std::string& text) { why = text; };
    hooks.wake = [] {};
    LinkPeer::load(runner, codec, files.clock, {"relay", "sat", quick_classes(), initiator}, std::move(hooks),
                   [this](Result<std::unique_ptr<LinkPeer>> loaded) { peer = std::move(*loaded); });
    while (!peer) REQUIRE(runner.turn());
  }
  void accept(const std::string& payload, queue::ClassId cls = queue::kEmergency) {
    auto message = files.message("t", payload);
    message.cls = cls;
    peer->add(files.accept(message).entry);
  }
};

struct Fixture {
  End gateway, relay;
  std::shared_ptr<MemoryTransport> up, down;

  Fixture() {
    gateway.open(true);
    relay.open(false);
  }
  void connect() {
    up = std::make_shared<MemoryTransport>();
    down = std::make_shared<MemoryTransport>();
    up->other = down.get();
    down->other = up.get();
    relay.peer->attach(down);
    gateway.peer->attach(up);
  }
  void advance(Millis by) {
    for (End* end : {&gateway, &relay}) end->files.clock.advance(by);
  }
  // Until nothing moves any more at this moment.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (End* end : {&gateway, &relay}) {
        end->peer->step();
        moved |= end->runner.turn();
      }
      if (up) moved |= up->turn();
      if (down) moved |= down->turn();
    }
  }
  // For so long, in steps of 50 ms.
  void run(Millis span) {
    for (settle(); span > Millis{0}; span -= Millis{50}) {
      advance(Millis{50});
      settle();
    }
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Peer: what is accepted here arrives there, and both have the same figures") {
  connect();
  run(Millis{1000});
  gateway.accept("help");
  gateway.accept(std::string(2000, 'x'), 2);
  run(Millis{3000});
  CHECK(relay.arrived == std::vector<std::string>{"5", "2001"});
  CHECK(gateway.settled == 2);
  const auto here = gateway.peer->status(), there = relay.peer->status();
  CHECK(here.state == "up");
  CHECK(here.inflight_bytes == 0);
  CHECK(here.bytes.payload_up == 2006);
  CHECK(there.bytes.payload_down == 2006);
  CHECK(here.bytes.frame_up > 0);
  CHECK(here.bytes.wire_up == static_cast<std::int64_t>(up->count.up));
  CHECK(here.bytes.wire_down == there.bytes.wire_up);
  CHECK(here.bytes.session_opens == 1);
  CHECK(there.bytes.session_opens == 0);
  CHECK(gateway.files.balanced());
}

TEST_CASE_METHOD(Fixture, "Peer: the figures of a status and those on disk agree once they are booked") {
  connect();
  gateway.accept("help");
  run(Millis{12'000});
  const auto status = gateway.peer->status().bytes;
  const auto disk = gateway.files.run([&](queue::Store& s) { return s.totals(gateway.files.link); });
  CHECK(disk.payload_up == status.payload_up);
  CHECK(disk.frame_up == status.frame_up);
  CHECK(disk.wire_up == status.wire_up);
  CHECK(disk.wire_down == status.wire_down);
}

TEST_CASE_METHOD(Fixture, "Peer: a link that breaks in the middle goes on where it stopped, once") {
  connect();
  run(Millis{1000});
  gateway.accept(std::string(4000, 'x'), 2);
  gateway.accept("help");
  gateway.peer->step();
  gateway.runner.turn();
  up->turn();
  up->abort("cut");
  settle();
  CHECK(gateway.why == "cut");
  CHECK(gateway.peer->status().state == "down");
  gateway.accept("help again");
  connect();
  run(Millis{3000});
  CHECK(relay.arrived.size() == 3);
  CHECK(gateway.peer->status().bytes.session_opens == 2);
  CHECK(gateway.files.balanced());
  CHECK(relay.files.balanced());
}

TEST_CASE_METHOD(Fixture, "Peer: what the relay's disk refuses is not acknowledged, and arrives later") {
  connect();
  run(Millis{1000});
  relay.runner.refuse = true;
  gateway.accept("help");
  run(Millis{2000});
  CHECK(relay.arrived.empty());
  CHECK(gateway.settled == 0);
  relay.runner.refuse = false;
  // It says that its store refuses, and hangs up; the program dials again.
  if (!gateway.peer->connected()) connect();
  run(Millis{20'000});
  if (!gateway.peer->connected()) connect();
  run(Millis{20'000});
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.settled == 1);
}

TEST_CASE_METHOD(Fixture, "Peer: what our own disk refuses to settle is settled when it takes it") {
  connect();
  run(Millis{1000});
  gateway.accept("help");
  gateway.peer->step();
  while (gateway.runner.turn() || up->turn()) {
  }
  gateway.runner.refuse = true;
  run(Millis{3000});
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.settled == 0);
  gateway.runner.refuse = false;
  run(Millis{3000});
  CHECK(gateway.settled == 1);
  CHECK(gateway.files.query("SELECT count(*) FROM message WHERE state = 2") == 1);
}

TEST_CASE_METHOD(Fixture, "Peer: the operator drops, moves and evicts what waits") {
  gateway.accept("one", 2);
  gateway.accept("two", 2);
  gateway.accept("three", 2);
  CHECK(gateway.peer->drop(1));
  CHECK_FALSE(gateway.peer->drop(1));
  CHECK_FALSE(gateway.peer->drop(99));
  CHECK(gateway.peer->reclassify(2, 1));
  gateway.peer->evict(1);
  run(Millis{100});
  CHECK(gateway.files.query("SELECT count(*) FROM message WHERE state = 5") == 2);
  CHECK(gateway.files.query("SELECT class FROM message WHERE id = 2") ==
        gateway.files.query("SELECT id FROM class WHERE name = 'message'"));
  CHECK(gateway.files.balanced());
}

TEST_CASE_METHOD(Fixture,
                 "Peer: a class that is paused in the middle of its transfer stops, and nobody spins") {
  connect();
  run(Millis{1000});
  up->frames_left = 3;
  gateway.accept(noise(20'000), 2);
  run(Millis{1000});
  gateway.peer->scheduler().pause(2, true);
  up->frames_left = 1000;
  run(Millis{2000});
  const auto sent = up->count.up;
  REQUIRE(gateway.peer->status().inflight_bytes > 0);
  // Nothing is due at once: else the program's timer would fire again and again.
  const auto wake = gateway.peer->next_wake();
  CHECK((!wake || *wake > gateway.files.clock.now()));
  gateway.accept("help");
  run(Millis{2000});
  CHECK(relay.arrived.size() == 1);
  CHECK(up->count.up < sent + 1000);
  gateway.peer->scheduler().pause(2, false);
  run(Millis{5000});
  CHECK(relay.arrived.size() == 2);
}

TEST_CASE_METHOD(Fixture, "Peer: saying goodbye closes both ends with a word") {
  connect();
  run(Millis{1000});
  gateway.peer->detach(ByeReason::kShuttingDown);
  run(Millis{1000});
  CHECK(gateway.why == to_string(ByeReason::kShuttingDown));
  CHECK(relay.peer->status().state == "down");
  CHECK(relay.why.find(to_string(ByeReason::kShuttingDown)) != std::string::npos);
}

}  // namespace tulpar::link
