// SPDX-License-Identifier: Apache-2.0
//
// The transport `tls` over sockets of the loopback: what a link needs of it.
#include "gateway/link/transport/tls.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::link {
namespace {

namespace asio = boost::asio;

struct Fixture {
  asio::io_context loop;
  queue::FakeClock clock;
  Millis handshake_takes{0};
  Enrolment enrolment{.name = "roof", .address = {}, .key_id = "AbCdEfGh", .secret = {1, 2, 3}};
  Enrolment known = enrolment;
  TlsOptions options{.rate_bps = 1'000'000, .timeout = Millis{300}};
  std::unique_ptr<TlsListener> listener;
  std::unique_ptr<TlsDialer> dialer;
  std::shared_ptr<Transport> near, far;
  std::vector<Bytes> came;
  std::string name, failure, near_end, far_end;
  WireCount failed_cost;

  Fixture() {
    listener = std::make_unique<TlsListener>(
        loop, clock, "127.0.0.1:0", options,
        [this](std::string_view id) {
          clock.advance(handshake_takes);
          return id == known.key_id ? std::optional(known) : std::nullopt;
        },
        [this](std::string who, std::shared_ptr<Transport> transport) {
          name = std::move(who);
          far = std::move(transport);
        });
    enrolment.address = "127.0.0.1:" + std::to_string(listener->port());
  }
  template <class Condition>
  bool until(Condition condition) {
    return test::run_until(loop, condition);
  }
  void dial(std::function<void()> in_callback = [] {}) {
    dialer = std::make_unique<TlsDialer>(
        loop, clock, enrolment, options,
        [this, in_callback = std::move(in_callback)](std::shared_ptr<Transport> transport) {
          near = std::move(transport);
          near->set_events({.writable = [] {},
                            .received = [](ByteView) {},
                            .closed = [this](const std::string& why) { near_end = why; }});
          in_callback();
        },
        [this](const DialFailure& failed) {
          failure = failed.why;
          failed_cost = failed.wire;
        });
  }
  void listen_far() {
    far->set_events({.writable = [] {},
                     .received = [this](ByteView frame) { came.emplace_back(frame.begin(), frame.end()); },
                     .closed = [this](const std::string& why) { far_end = why; }});
  }
  void connect() {
    dial();
    REQUIRE(until([&] { return near && far; }));
    listen_far();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "tls: a greeting that comes before anybody listens is kept") {
  dial([this] { near->send({'h', 'i'}, clock.now()); });
  REQUIRE(until([&] { return near && far; }));
  // The relay loads that gateway's queue first.
  for (int turn = 0; turn < 50; ++turn) loop.poll();
  listen_far();
  CHECK(came.empty());  // never from inside the call
  REQUIRE(until([&] { return !came.empty(); }));
  CHECK(came == std::vector<Bytes>{{'h', 'i'}});
  CHECK(name == "roof");
}

TEST_CASE_METHOD(Fixture, "tls: frames arrive in order, and both sides count the same bytes") {
  connect();
  std::vector<Bytes> sent;
  for (std::uint8_t i = 0; i < 20; ++i) {
    clock.advance(Millis{1000});
    REQUIRE(until([&] { return near->can_send(clock.now()); }));
    sent.push_back(Bytes(near->frame_limit() - i, i));
    near->send(sent.back(), clock.now());
  }
  REQUIRE(until([&] { return came.size() == sent.size(); }));
  CHECK(came == sent);
  CHECK(until([&] { return near->wire().up == far->wire().down && near->wire().down == far->wire().up; }));
  CHECK(near->wire().up > 20 * (near->frame_limit() - 20 + 14 + 40));
}

TEST_CASE_METHOD(Fixture, "tls: a peer that talks while nobody listens is held back, and loses nothing") {
  dial();
  REQUIRE(until([&] { return near && far; }));
  std::size_t sent = 0;
  for (; sent < 500; ++sent) {
    clock.advance(Millis{10'000});
    for (int turn = 0; turn < 20; ++turn) loop.poll();
    if (!near->can_send(clock.now())) break;
    near->send(Bytes(near->frame_limit(), 'x'), clock.now());
  }
  listen_far();
  REQUIRE(until([&] { return came.size() == sent; }));
}

TEST_CASE_METHOD(Fixture, "tls: a connection is as old as its accept, however long the handshake took") {
  const BootTime begun = clock.now();
  handshake_takes = Millis{5000};
  connect();
  CHECK(far->opened() == begun);
  CHECK(near->opened() == begun);
}

TEST_CASE_METHOD(Fixture, "tls: opening the link costs about a kilobyte") {
  dial([this] { near->send(Bytes(40, 'g'), clock.now()); });
  REQUIRE(until([&] { return near && far; }));
  listen_far();
  REQUIRE(until([&] { return came.size() == 1; }));
  const auto wire = near->wire();
  CHECK(wire.up + wire.down < 1250);
}

TEST_CASE_METHOD(Fixture,
                 "tls: an enrolment that the relay does not know is refused, and what it cost is told") {
  known.secret = {9};
  dial();
  REQUIRE(until([&] { return !failure.empty(); }));
  CHECK(failed_cost.up > 100);
  CHECK_FALSE(near);
  CHECK_FALSE(far);
  failure.clear();
  known = enrolment;
  known.key_id = "ZZZZZZZZ";
  dial();
  REQUIRE(until([&] { return !failure.empty(); }));
  CHECK_FALSE(far);
}

TEST_CASE_METHOD(Fixture, "tls: nobody there is an error in words") {
  listener.reset();
  dial();
  REQUIRE(until([&] { return !failure.empty(); }));
  CHECK(failure.find("refused") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "tls: closing sends what was handed over, and both hear why") {
  connect();
  near->send({'1'}, clock.now());
  near->close("shutting down");
  REQUIRE(until([&] { return !near_end.empty() && !far_end.empty(); }));
  CHECK(near_end == "shutting down");
  CHECK(came == std::vector<Bytes>{{'1'}});
  CHECK_FALSE(near->can_send(clock.now()));
}

TEST_CASE_METHOD(Fixture, "tls: an abort ends it from inside the call") {
  connect();
  near->abort("no answer");
  CHECK(near_end == "no answer");
  REQUIRE(until([&] { return !far_end.empty(); }));
}

TEST_CASE_METHOD(Fixture, "tls: strangers cost nobody else anything") {
  std::vector<asio::ip::tcp::socket> strangers;
  const asio::ip::tcp::endpoint there(asio::ip::make_address("127.0.0.1"), listener->port());
  for (std::size_t i = 0; i < TlsListener::kMostHandshakes + 20; ++i) {
    strangers.emplace_back(loop).connect(there);
    if (i % 3 == 0) asio::write(strangers.back(), asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
    loop.poll();
  }
  connect();
  near->send({'1'}, clock.now());
  REQUIRE(until([&] { return came.size() == 1; }));
}

}  // namespace tulpar::link
