// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/link_emulator.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <numeric>
#include <optional>

#include "tests/catch.hpp"
#include "tests/gateway/demo/steady_clock.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// A target with one connection, and a client that reaches it through the link.
struct Lab {
  explicit Lab(LinkSettings settings)
      : target(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), far(io), near(io) {
    emulator.emplace(io.get_executor(), clock, settings, 1, LinkTarget{.port = target.local_endpoint().port()});
    target.async_accept(far, [this](error_code ec) { accepted = !ec; });
    near.connect(tcp::endpoint(asio::ip::address_v4::loopback(), emulator->port()));
  }

  // Runs until `done`; false after ten seconds without it.
  bool run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(100ms);
    }
    return done();
  }

  SteadyClock clock;
  asio::io_context io;
  tcp::acceptor target;
  tcp::socket far, near;
  std::optional<LinkEmulator> emulator;
  bool accepted = false;
};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

LinkSettings fast() {
  return {.rate_up = 10'000'000, .rate_down = 10'000'000, .delay = 1ms, .loss = 0.05, .buffer = 16'000};
}

}  // namespace

TEST_CASE("bytes go through the emulated link and back unharmed") {
  Lab lab(fast());
  const Bytes sent = pattern(100'000);
  Bytes there(sent.size()), back(sent.size());
  bool done = false;
  asio::async_write(lab.near, asio::buffer(sent), [](error_code ec, std::size_t) { CHECK_FALSE(ec); });
  REQUIRE(lab.run_until([&] { return lab.accepted; }));
  asio::async_read(lab.far, asio::buffer(there), [&](error_code ec, std::size_t) {
    CHECK_FALSE(ec);
    asio::async_write(lab.far, asio::buffer(there), [](error_code, std::size_t) {});
  });
  asio::async_read(lab.near, asio::buffer(back), [&](error_code ec, std::size_t) {
    CHECK_FALSE(ec);
    done = true;
  });
  REQUIRE(lab.run_until([&] { return done; }));
  CHECK(there == sent);
  CHECK(back == sent);
  CHECK(lab.emulator->meter(Direction::kUp).bytes > sent.size() + sent.size() / 1448 * 52);
  CHECK(lab.emulator->meter(Direction::kUp).lost > 0);
  CHECK(lab.emulator->pending(Direction::kDown) == 0);
}

TEST_CASE("the sender's kernel uses the link's segment size") {
  Lab lab(fast());
  tcp_info info{};
  socklen_t size = sizeof info;
  REQUIRE(getsockopt(lab.near.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
  CHECK(info.tcpi_snd_mss == 1448);
}

TEST_CASE("a slow link pushes back: few bytes hide between the sender and the transmitter") {
  const std::size_t buffer = 3000;
  Lab lab({.rate_up = 9600, .rate_down = 9600, .delay = 300ms, .buffer = buffer});
  lab.near.non_blocking(true);
  const Bytes chunk = pattern(1000);
  std::size_t written = 0;
  const auto hidden = [&] {
    for (error_code ec; !ec;) written += lab.near.write_some(asio::buffer(chunk), ec);
    int unacknowledged = 0;
    REQUIRE(ioctl(lab.near.native_handle(), SIOCOUTQ, &unacknowledged) == 0);
    return written - static_cast<std::size_t>(unacknowledged);
  };
  // The set-up takes 0.7 s; until a segment more has left, the modem's buffer and the kernel's have filled.
  REQUIRE(lab.run_until([&] { return hidden() > 0 && lab.emulator->meter(Direction::kUp).packets > 2; }));
  // The modem's buffer, what is in the air, and the emulator's own kernel buffer: nothing else is out of sight.
  CHECK(hidden() < buffer + 2 * 1448 + 6'000);
  CHECK(lab.emulator->pending(Direction::kUp) <= buffer + 2 * 1448);
}

TEST_CASE("a cut link passes nothing until it is mended") {
  Lab lab(fast());
  REQUIRE(lab.run_until([&] { return lab.accepted; }));
  lab.emulator->cut();
  CHECK_FALSE(lab.emulator->up());
  const auto counted = lab.emulator->meter(Direction::kUp).bytes;
  Bytes got(5);
  bool arrived = false;
  asio::async_read(lab.far, asio::buffer(got), [&](error_code ec, std::size_t) { arrived = !ec; });
  asio::write(lab.near, asio::buffer(pattern(5)));
  REQUIRE(lab.run_until([&] { return lab.emulator->pending(Direction::kUp) == 5; }));
  CHECK_FALSE(arrived);
  CHECK(lab.emulator->meter(Direction::kUp).bytes == counted);
  lab.emulator->mend();
  REQUIRE(lab.run_until([&] { return arrived; }));
  CHECK(got == pattern(5));
}

TEST_CASE("a target that refuses is told to the client") {
  Lab lab(fast());
  REQUIRE(lab.run_until([&] { return lab.accepted; }));
  lab.target.close();
  tcp::socket second(lab.io);
  second.connect(tcp::endpoint(asio::ip::address_v4::loopback(), lab.emulator->port()));
  Bytes got(1);
  std::optional<error_code> result;
  asio::async_read(second, asio::buffer(got), [&](error_code ec, std::size_t) { result = ec; });
  REQUIRE(lab.run_until([&] { return result.has_value(); }));
  CHECK(*result == asio::error::connection_reset);
}

TEST_CASE("an end and a reset travel over the link") {
  Lab lab(fast());
  REQUIRE(lab.run_until([&] { return lab.accepted; }));
  Bytes got(10);
  std::optional<error_code> far_end, near_end;
  SECTION("end") {
    asio::write(lab.near, asio::buffer(pattern(3)));
    lab.near.shutdown(tcp::socket::shutdown_send);
    asio::async_read(lab.far, asio::buffer(got), [&](error_code ec, std::size_t size) {
      CHECK(size == 3);
      far_end = ec;
    });
    REQUIRE(lab.run_until([&] { return far_end.has_value(); }));
    CHECK(*far_end == asio::error::eof);
    lab.far.close();
    asio::async_read(lab.near, asio::buffer(got), [&](error_code ec, std::size_t) { near_end = ec; });
    REQUIRE(lab.run_until([&] { return near_end.has_value(); }));
    CHECK(*near_end == asio::error::eof);
  }
  SECTION("reset") {
    asio::async_read(lab.far, asio::buffer(got), [&](error_code ec, std::size_t) { far_end = ec; });
    lab.near.set_option(asio::socket_base::linger(true, 0));
    lab.near.close();
    REQUIRE(lab.run_until([&] { return far_end.has_value(); }));
    CHECK(*far_end == asio::error::connection_reset);
  }
}

TEST_CASE("the emulator may go while connections are open") {
  Lab lab(fast());
  REQUIRE(lab.run_until([&] { return lab.accepted; }));
  Bytes got(10);
  std::optional<error_code> end;
  asio::async_read(lab.near, asio::buffer(got), [&](error_code ec, std::size_t) { end = ec; });
  lab.emulator.reset();
  REQUIRE(lab.run_until([&] { return end.has_value(); }));
  CHECK(*end == asio::error::connection_reset);
}
