// SPDX-License-Identifier: Apache-2.0
#include "config/address.hpp"

#include "tests/catch.hpp"

using namespace tulpar::config;
using namespace std::string_view_literals;

TEST_CASE("addresses are read and written") {
  CHECK(parse_host_port("127.0.0.1:8480").value() == HostPort{"127.0.0.1", 8480});
  CHECK(parse_host_port("[::1]:8480").value() == HostPort{"::1", 8480});
  CHECK(parse_host_port("relay.example.org:7700").value() == HostPort{"relay.example.org", 7700});
  CHECK(parse_host_port("localhost:0").value() == HostPort{"localhost", 0});
  for (const auto* text : {"127.0.0.1:8480", "[::1]:8480", "relay:65535"})
    CHECK(format_host_port(parse_host_port(text).value()) == text);
}

TEST_CASE("what is no address with a port is refused") {
  const auto text =
      GENERATE(""sv, ":"sv, ":80"sv, "host"sv, "host:"sv, "host:65536"sv, "host:-1"sv, "host: 80"sv,
               "host:8o"sv, "::1:80"sv, "[::1]"sv, "[host]:80"sv, "[]:80"sv, "[:80"sv, "300.1.1.1:80"sv,
               "a b:80"sv, "-a:80"sv, "a..b:80"sv, "127.0.0.1\0:80"sv, "http://host:80"sv);
  CAPTURE(text);
  CHECK_FALSE(parse_host_port(text).has_value());
}

TEST_CASE("hosts are names or addresses") {
  for (const auto* host : {"a", "broker.example.org", "my_broker", "10.0.0.1", "::1", "fe80::1", "1a"})
    CHECK(is_host(host));
  for (const auto* host : {"", ".", "a.", "a b", "1.2.3", "host:80", "10.0.0.256", "[::1]", "ж"})
    CHECK_FALSE(is_host(host));
  CHECK(is_host(std::string(63, 'a')));
  CHECK_FALSE(is_host(std::string(64, 'a')));
}

TEST_CASE("loopback and private addresses are known without asking the network") {
  for (const auto* host : {"localhost", "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    CHECK(is_loopback(host));
    CHECK(is_private(host));
  }
  for (const auto* host :
       {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "fd00::1", "fe80::1"}) {
    CHECK_FALSE(is_loopback(host));
    CHECK(is_private(host));
  }
  for (const auto* host : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "2001:db8::1", "::", "0.0.0.0",
                           "localhost.example.org", "128.0.0.1", "::2"})
    CHECK_FALSE(is_private(host));
}
