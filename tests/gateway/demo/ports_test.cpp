// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/ports.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using boost::asio::ip::tcp;

namespace {

tcp::endpoint loopback(std::uint16_t port) { return {boost::asio::ip::address_v4::loopback(), port}; }

}  // namespace

TEST_CASE("a free port can be listened on") {
  boost::asio::io_context io;
  const std::uint16_t port = free_port();
  REQUIRE(port > 0);
  const tcp::acceptor acceptor(io, loopback(port));
  CHECK(acceptor.is_open());
}

TEST_CASE("a wanted port that is free is given, a taken one replaced on the same host") {
  boost::asio::io_context io;
  const config::HostPort wanted{"127.0.0.1", free_port()};
  CHECK(free_address(wanted).value() == wanted);

  const tcp::acceptor taken(io, loopback(wanted.port));
  const auto other = free_address(wanted);
  REQUIRE(other.has_value());
  CHECK(other->host == "127.0.0.1");
  CHECK(other->port != wanted.port);
  CHECK(other->port > 0);
  CHECK(free_address({"127.0.0.1", 0}).value().port > 0);
}

TEST_CASE("an address of somebody else is an error") {
  const auto elsewhere = free_address({"192.0.2.1", 8480});
  REQUIRE_FALSE(elsewhere.has_value());
  CHECK_THAT(elsewhere.error().message, Contains("192.0.2.1:8480"));
  CHECK_FALSE(free_address({"no such host", 8480}).has_value());
}
