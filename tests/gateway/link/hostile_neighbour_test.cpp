// SPDX-License-Identifier: Apache-2.0
//
// A relay with a real store and two gateways, one of which lies: the other one's messages arrive all the same,
// each once, and the books balance.
#include "tests/catch.hpp"
#include "tests/gateway/link/memory_link.hpp"

namespace tulpar::link {
namespace {

constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 1;

struct Neighbours : LinkedPair {
  Neighbours() {
    PeerHooks hooks;
    hooks.classify = [](LinkMessage message) {
      queue::NewMessage made;
      made.cls = 2;
      made.node = message.topic;
      made.sinks = 1;
      made.topic = std::move(message.topic);
      made.payload = std::move(message.payload);
      return made;
    };
    hooks.arrived = [this](const std::vector<queue::Accepted>& messages) { liars += messages.size(); };
    hooks.unstored = [](const std::vector<queue::NewMessage>&) {};
    hooks.settled = hooks.wake = [] {};
    hooks.disconnected = [this](const std::string& text) { why = text; };
    LinkPeer::load(relay.runner, relay.codec, relay.files.clock, {"liar", "sat", quick_classes(), false},
                   std::move(hooks),
                   [this](Result<std::unique_ptr<LinkPeer>> loaded) { liar = std::move(*loaded); });
    while (!liar) REQUIRE(relay.runner.turn());
    connect();
  }
  ~Neighbours() { liar.reset(); }

  // The liar comes, with a greeting that says this besides.
  void come(const std::function<void(Greeting&)>& lie = {}) {
    ours = std::make_shared<MemoryTransport>();
    its = std::make_shared<MemoryTransport>();
    ours->other = its.get();
    its->other = ours.get();
    liar->attach(ours);
    Greeting greeting{.incarnation = 77, .closed = {}, .partial = {}, .next = kMost, .next_message = kMost};
    if (lie) lie(greeting);
    say(greeting);
  }
  void say(const Item& item) {
    FrameBuilder frame(kMaxFrame);
    REQUIRE(frame.put(item));
    ours->inbox.push_back(frame.take());
  }
  void send(std::uint64_t number, std::uint64_t settled, const std::vector<LinkMessage>& messages) {
    const auto plain = encode_plain(messages, settled);
    sent.push_back(codec.encode(plain, empty_base(), {.number = number, .settled = settled}).bytes);
    say(Fragment{number, 0, true, sent.back()});
  }
  // All three go on; whoever has not arrived by then never will.
  void go_on() {
    for (int second = 0; second < 20; ++second) {
      while (ours && ours->turn()) continue;
      liar->step();
      run(Millis{1000});
    }
  }
  // What the honest gateway gives in between arrives.
  void honest_is_served() {
    const auto before = relay.arrived.size();
    for (int i = 0; i < 10; ++i) gateway.accept("an honest word", i ? 2 : queue::kEmergency);
    go_on();
    CHECK(relay.arrived.size() == before + 10);
    CHECK(gateway.settled > 0);
    CHECK(gateway.files.balanced());
    CHECK(relay.files.balanced());
    CHECK(relay.peer->status().state == "up");
  }

  BatchCodec codec;
  std::unique_ptr<LinkPeer> liar;
  std::shared_ptr<MemoryTransport> ours, its;
  std::deque<Bytes> sent;  // fragments point into them until they are written
  std::size_t liars = 0;
  std::string why;
};

LinkMessage message(std::uint64_t number, std::string topic = "t", std::size_t size = 10) {
  return {.number = number, .cls = "normal", .topic = std::move(topic), .payload = Bytes(size, 'x')};
}

}  // namespace

TEST_CASE_METHOD(Neighbours, "Neighbour: a settled mark far ahead shuts out only who said it") {
  come();
  send(1, kMost / 2, {message(kMost / 2)});
  honest_is_served();
  CHECK(liars == 1);
  send(2, 1, {message(5), message(6)});
  go_on();
  CHECK(liars == 1);
}

TEST_CASE_METHOD(Neighbours, "Neighbour: numbers that are another's, or its own again, are nobody's loss") {
  come();
  for (std::uint64_t batch = 1; batch <= 5; ++batch) send(batch, 1, {message(1), message(2), message(3)});
  honest_is_served();
  CHECK(liars == 3);
}

TEST_CASE_METHOD(Neighbours, "Neighbour: bombs, nonsense and endless voids leave the other its place") {
  come();
  for (std::uint64_t batch = 1; batch <= 20; ++batch) {
    send(batch, 1, {message(batch, std::string(65'535, 'a'), config::kMaxPayload)});
    say(Fragment{batch + 100, 50'000, false, sent.back()});
    say(Void{1, batch});
    say(Fragment{batch + 200, 0, true, Bytes(3, 0xFF)});
  }
  honest_is_served();
}

TEST_CASE_METHOD(Neighbours,
                 "Neighbour: who breaks the rules is sent away and may come again as often as he likes") {
  for (int time = 0; time < 20; ++time) {
    come([&](Greeting& greeting) { greeting.incarnation = 100 + static_cast<std::uint64_t>(time); });
    say(Ack{17, {}});
    go_on();
    CHECK_FALSE(liar->connected());
  }
  CHECK_FALSE(why.empty());
  honest_is_served();
}

TEST_CASE_METHOD(Neighbours, "Neighbour: an SOS for who holds every class leaves all the same") {
  come([](Greeting& greeting) { greeting.hold = {{"emergency", "message", "normal", "telemetry", "bulk"}}; });
  queue::NewMessage sos = relay.files.message("t", "help");
  sos.peer = liar->id();
  sos.cls = queue::kEmergency;
  liar->add(relay.files.accept(sos).entry);
  honest_is_served();
  bool left = false;
  for (const auto& frame : its->inbox)
    for (const auto& item : *decode_frame(frame)) left = left || std::holds_alternative<Fragment>(item);
  CHECK(left);
}

}  // namespace tulpar::link
