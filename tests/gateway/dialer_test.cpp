// SPDX-License-Identifier: Apache-2.0
#include "gateway/dialer.hpp"

#include <boost/asio/ip/tcp.hpp>

#include "tests/bridge/mqtt_loop.hpp"
#include "tests/gateway/link/memory_link.hpp"

namespace tulpar {
namespace {

using boost::asio::ip::tcp;

// Somebody on the loopback who takes connections, or does not, and never says a word.
class Silent {
 public:
  explicit Silent(boost::asio::io_context& loop) : acceptor_(loop) {
    acceptor_.open(tcp::v4());
    acceptor_.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
  }
  // Until then connections are refused.
  void listen() {
    acceptor_.listen();
    accept();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  bool hangs_up = false;
  std::vector<tcp::socket> sockets;

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& failed, tcp::socket socket) {
      if (failed) return;
      if (hangs_up) socket.close();
      sockets.push_back(std::move(socket));
      accept();
    });
  }
  tcp::acceptor acceptor_;
};

struct Fixture {
  boost::asio::io_context loop;
  Silent other{loop};
  link::End gateway, relay;
  queue::FakeClock& clock = gateway.files.clock;
  link::Enrolment enrolment{
      .name = "roof", .address = other.address(), .key_id = "AAAAAAAA", .secret = {1, 2, 3}};
  int wakes = 0;
  std::optional<LinkDialer> dialer;

  Fixture() { gateway.open(true); }
  void start() {
    dialer.emplace(loop, clock, enrolment, link::TlsOptions{.rate_bps = 100'000}, [this] { ++wakes; });
    dialer->set_peer(gateway.peer.get());
  }
  template <class Condition>
  bool until(Condition condition) {
    return test::run_until(loop, condition);
  }
  // One attempt that fails; the pause after it.
  Millis fail_once() {
    dialer->step();
    REQUIRE(dialer->dialling());
    REQUIRE(until([&] { return !dialer->dialling(); }));
    REQUIRE(dialer->next_wake());
    return *dialer->next_wake() - clock.now();
  }
  // Until both are greeted over a real relay's listener.
  void meet() {
    relay.open(false);
    listener = std::make_unique<link::TlsListener>(
        loop, relay.files.clock, "127.0.0.1:0", link::TlsOptions{.rate_bps = 100'000},
        [this](std::string_view key) {
          return key == enrolment.key_id ? std::optional(enrolment) : std::nullopt;
        },
        [this](const std::string&, auto transport) { relay.peer->attach(std::move(transport)); });
    enrolment.address = "127.0.0.1:" + std::to_string(listener->port());
  }
  bool until_up() {
    return until([&] {
      turn();
      return gateway.peer->status().state == "up" && relay.peer->status().state == "up";
    });
  }
  void turn() {
    for (auto* end : {&gateway, &relay}) {
      end->peer->step();
      end->runner.turn();
    }
  }
  std::unique_ptr<link::TlsListener> listener;
};

}  // namespace

TEST_CASE("DialPace: every pause is within its bounds, and they grow to the cap but not in step") {
  std::set<std::int64_t> firsts;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    DialPace pace(seed);
    Millis last = DialPace::kBase, longest{0};
    for (int i = 0; i < 200; ++i) {
      const Millis pause = pace.next(DialPace::kCap);
      if (i == 0) firsts.insert(pause.count());
      REQUIRE(pause >= DialPace::kBase);
      REQUIRE(pause <= std::min(DialPace::kCap, last * 3));
      longest = std::max(longest, pause);
      last = pause;
    }
    CHECK(longest == DialPace::kCap);
    pace.reset();
    CHECK(pace.next(DialPace::kCap) <= DialPace::kBase * 3);
  }
  CHECK(firsts.size() > 50);  // a hundred gateways that lost one relay do not come back at once
}

TEST_CASE_METHOD(Fixture, "LinkDialer: a new emergency cuts a pause short, an old one does not") {
  start();
  for (int i = 0; i < 30; ++i) {
    clock.advance(fail_once());
  }
  // Pauses are drawn; one of these is long.
  Millis pause = fail_once();
  for (int i = 0; i < 100 && pause <= LinkDialer::kNewEmergency; ++i) {
    clock.advance(pause);
    pause = fail_once();
  }
  REQUIRE(pause > LinkDialer::kNewEmergency);
  gateway.accept("help");
  dialer->step();
  CHECK(*dialer->next_wake() - clock.now() <= LinkDialer::kNewEmergency);
  // One attempt may not be enough.
  for (int i = 1; i < LinkDialer::kQuickAttempts; ++i) {
    clock.advance(LinkDialer::kNewEmergency);
    fail_once();
    dialer->step();
    CHECK(*dialer->next_wake() - clock.now() <= LinkDialer::kNewEmergency);
  }
  clock.advance(LinkDialer::kNewEmergency);
  Millis longest{0};
  for (int i = 0; i < 30; ++i) {
    const Millis next = fail_once();
    longest = std::max(longest, next);
    dialer->step();
    CHECK_FALSE(dialer->dialling());
    clock.advance(next);
  }
  CHECK(longest > LinkDialer::kNewEmergency);
}

TEST_CASE_METHOD(Fixture,
                 "LinkDialer: an emergency under way when the link fell is dialled for as one that waits") {
  start();
  relay.open(false);
  auto up = std::make_shared<link::MemoryTransport>(), down = std::make_shared<link::MemoryTransport>();
  up->other = down.get();
  down->other = up.get();
  relay.peer->attach(down);
  gateway.peer->attach(up);
  relay.runner.hold = true;
  gateway.accept("help");
  while (gateway.peer->scheduler().size() > 0) {
    gateway.peer->step();
    gateway.runner.turn();
    relay.peer->step();
    up->turn();
    down->turn();
  }
  up->abort("cut");
  REQUIRE(gateway.peer->emergencies() == 1);
  for (int i = 0; i < 60; ++i) {
    const Millis pause = fail_once();
    CHECK(pause <= DialPace::kCap);
    clock.advance(pause);
  }
}

TEST_CASE_METHOD(Fixture, "LinkDialer: without a peer there is nothing to dial for") {
  start();
  dialer->set_peer(nullptr);
  dialer->step();
  CHECK_FALSE(dialer->dialling());
  CHECK_FALSE(dialer->next_wake());
  const int before = wakes;
  dialer->set_peer(gateway.peer.get());
  CHECK(wakes == before + 1);
  CHECK(*dialer->next_wake() <= clock.now());
}

TEST_CASE_METHOD(Fixture,
                 "LinkDialer: a relay that is not there is tried again, after pauses that stay bounded") {
  start();
  Millis last = DialPace::kBase;
  for (int i = 0; i < 12; ++i) {
    const Millis pause = fail_once();
    CHECK(pause >= DialPace::kBase);
    CHECK(pause <= std::min(DialPace::kCap, last * 3));
    last = pause;
    clock.advance(pause - Millis{1});
    dialer->step();
    CHECK_FALSE(dialer->dialling());
    clock.advance(Millis{1});
  }
  CHECK_THAT(dialer->problem(), StartsWith(other.address() + ": ") && Contains("refused"));
}

TEST_CASE_METHOD(Fixture, "LinkDialer: an address that is none is a problem in words, and is tried on") {
  enrolment.address = "127.0.0.1:satellite";
  start();
  fail_once();
  CHECK_THAT(dialer->problem(), Contains("cannot resolve 127.0.0.1:satellite"));
  clock.advance(DialPace::kCap);
  fail_once();
}

TEST_CASE_METHOD(Fixture, "LinkDialer: one attempt at a time; who stops gives it up") {
  other.listen();
  start();
  for (int i = 0; i < 5; ++i) dialer->step();
  REQUIRE(until([&] { return !other.sockets.empty(); }));
  clock.advance(std::chrono::minutes(1));
  dialer->step();
  test::settle(loop);
  CHECK(other.sockets.size() == 1);
  CHECK(dialer->dialling());
  CHECK_FALSE(dialer->next_wake());

  dialer->stop();
  CHECK_FALSE(dialer->dialling());
  bool gone = false;
  Bytes hello(4096);
  std::function<void()> read = [&] {
    other.sockets[0].async_read_some(boost::asio::buffer(hello), [&](const auto& failed, std::size_t) {
      failed ? void(gone = true) : read();
    });
  };
  read();
  CHECK(until([&] { return gone; }));
  dialer->step();
  CHECK_FALSE(dialer->dialling());
  CHECK_FALSE(dialer->next_wake());
}

TEST_CASE_METHOD(Fixture, "LinkDialer: what an attempt in vain cost is in the books") {
  other.hangs_up = true;
  other.listen();
  start();
  fail_once();
  CHECK_FALSE(dialer->problem().empty());
  const auto bytes = gateway.peer->status().bytes;
  CHECK(bytes.wire_up > 200);  // its hello at least
  CHECK(bytes.session_opens == 0);
  gateway.peer->step();
  while (gateway.runner.turn()) {
  }
  const auto disk = gateway.files.run([&](queue::Store& store) { return store.totals(gateway.files.link); });
  CHECK(disk.wire_up == bytes.wire_up);
  CHECK(disk.wire_down == bytes.wire_down);
}

TEST_CASE_METHOD(Fixture, "LinkDialer: a relay that does not know the key is a problem, not a link") {
  meet();
  enrolment.key_id = "BBBBBBBB";
  start();
  enrolment.key_id = "AAAAAAAA";  // of the relay's book
  fail_once();
  CHECK_FALSE(dialer->problem().empty());
  CHECK_FALSE(gateway.peer->connected());
  CHECK(gateway.peer->status().bytes.wire_up > 0);
}

TEST_CASE_METHOD(Fixture,
                 "LinkDialer: a link that is up needs no dialling; one that broke is tried again soon") {
  start();
  clock.advance(fail_once());
  meet();
  const std::string problem = dialer->problem();
  start();
  dialer->step();
  REQUIRE(until_up());
  CHECK(dialer->problem().empty());
  CHECK_FALSE(dialer->dialling());
  CHECK_FALSE(dialer->next_wake());
  dialer->step();
  CHECK_FALSE(dialer->dialling());

  for (int round = 0; round < 2; ++round) {
    gateway.why.clear();
    relay.peer->detach(link::ByeReason::kShuttingDown);
    REQUIRE(until([&] {
      turn();
      return !gateway.why.empty() && !relay.peer->connected();
    }));
    CHECK_FALSE(gateway.peer->was_refused());
    clock.advance(LinkDialer::kHeld);
    dialer->on_disconnected(gateway.peer->was_refused());
    const Millis pause = *dialer->next_wake() - clock.now();
    CHECK(pause >= DialPace::kBase);
    CHECK(pause <= DialPace::kBase * 3);
    dialer->step();
    CHECK_FALSE(dialer->dialling());
    clock.advance(pause);
    dialer->step();
    REQUIRE(until_up());
  }
  CHECK(gateway.peer->status().bytes.session_opens == 3);
}

TEST_CASE_METHOD(Fixture, "LinkDialer: sessions that end at once are as bad as attempts in vain") {
  meet();
  start();
  dialer->step();
  REQUIRE(until_up());
  relay.peer->detach(link::ByeReason::kShuttingDown);
  REQUIRE(until([&] {
    turn();
    return !gateway.peer->connected();
  }));
  const auto longest_of = [&](int tries, bool refused, Millis apart) {
    Millis longest{0};
    for (int i = 0; i < tries; ++i) {
      dialer->on_disconnected(refused);
      longest = std::max<Millis>(longest, *dialer->next_wake() - clock.now());
      clock.advance(apart);
    }
    return longest;
  };
  CHECK(longest_of(200, false, Millis{0}) == DialPace::kCap);
  CHECK(longest_of(200, true, Millis{0}) == DialPace::kRefusedCap);
}

TEST_CASE_METHOD(Fixture, "LinkDialer: after a long outage the tries become rarer, but not for an SOS") {
  start();
  Millis longest{0};
  for (const auto end = clock.now() + std::chrono::hours(6); clock.now() < end;) {
    longest = std::max(longest, fail_once());
    clock.advance(*dialer->next_wake() - clock.now());
  }
  CHECK(longest > DialPace::kCap);
  CHECK(longest <= DialPace::kLongCap);
  gateway.accept("help");
  for (int i = 0; i < 20; ++i) {
    CHECK(fail_once() <= DialPace::kCap);
    clock.advance(*dialer->next_wake() - clock.now());
  }
}

}  // namespace tulpar
