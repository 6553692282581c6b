// SPDX-License-Identifier: Apache-2.0
//
// Link peers with real stores over a transport in memory, for the tests of the peer and of the programs around
// it.
//
// One thread: nothing happens but what the test turns. A job of the store is done when it is submitted, its
// answer comes with turn(); a frame arrives when its receiver turns.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/link/peer.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/link/side.hpp"

namespace tulpar::link {

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
    std::optional<Error> error;
    if (refuse_reads) error = Error{"disk I/O error"};
    try {
      if (!error) job.run(reader_);
    } catch (const queue::StoreError& failed) {
      error = Error{failed.what()};
    }
    answers_.push_back([job = std::move(job), error] { job.done(error ? &*error : nullptr); });
  }
  bool turn() {
    if (answers_.empty() || hold) return false;
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
    return true;
  }
  bool refuse = false, refuse_reads = false;
  bool hold = false;  // the answers

 private:
  queue::StoreFixture& files_;
  queue::StoreReader reader_;
  std::deque<std::function<void()>> answers_;
};

// One end of a pair. Every frame costs 40 bytes of headers, as over TCP and TLS.
class MemoryTransport : public Transport {
 public:
  void set_events(Events events) override { events_ = std::move(events); }
  std::size_t frame_limit() const override { return 240; }
  bool can_send(BootTime) override { return !ended && other && other->inbox.size() < 2 && frames_left > 0; }
  void send(Bytes frame, BootTime) override {
    if (breaks_on_send) return end("connection reset by peer");
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
  BootTime opened() const override { return since; }
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
  bool breaks_on_send = false;
  BootTime since{};
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
  std::vector<std::string> arrived, unstored;
  std::string why;
  int settled = 0;

  void open(bool initiator) {
    PeerHooks hooks;
    hooks.classify = [](LinkMessage message) {
      queue::NewMessage made;
      made.peer = queue::kEdge;
      made.cls = message.cls == "emergency" ? queue::kEmergency : queue::ClassId{2};
      made.node = "n";
      made.sinks = 1;
      made.topic = std::move(message.topic);
      made.payload = std::move(message.payload);
      return made;
    };
    hooks.arrived = [this](const std::vector<queue::Accepted>& messages) {
      for (const auto& message : messages) arrived.push_back(std::to_string(message.entry.bytes));
    };
    hooks.unstored = [this](const std::vector<queue::NewMessage>& messages) {
      for (const auto& message : messages)
        unstored.emplace_back(message.payload.begin(), message.payload.end());
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
    peer->add(files.accept(message));
  }
  // As after a start: nothing of it is in memory.
  void wait_on_disk(const std::string& payload, queue::ClassId cls = queue::kEmergency) {
    auto message = files.message("t", payload);
    message.cls = cls;
    peer->add(files.accept(message).entry);
  }
};

// A gateway and a relay; nothing connects them yet.
struct LinkedPair {
  End gateway, relay;
  std::shared_ptr<MemoryTransport> up, down;

  LinkedPair() {
    gateway.open(true);
    relay.open(false);
  }
  void connect() {
    up = std::make_shared<MemoryTransport>();
    down = std::make_shared<MemoryTransport>();
    up->other = down.get();
    down->other = up.get();
    up->since = down->since = gateway.files.clock.now();
    relay.peer->attach(down);
    gateway.peer->attach(up);
  }
  void greet() {
    connect();
    run(Millis{1000});
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

}  // namespace tulpar::link
