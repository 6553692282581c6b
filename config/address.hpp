// SPDX-License-Identifier: Apache-2.0
//
// Addresses as they are written in a configuration, and what can be said of them without asking the network.
//
// Pure functions, any thread. Nothing is resolved: of a host name only "localhost" is known to be loopback.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::config {

struct HostPort {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

// "127.0.0.1:8480", "[::1]:8480", "relay.example.org:7700". Port 0 (the system picks one) is allowed.
Result<HostPort> parse_host_port(std::string_view text);
// The reverse, with brackets where they are needed.
std::string format_host_port(const HostPort& address);

// True iff the text is an IPv4 or IPv6 address or a host name (RFC 1123), without a port.
bool is_host(std::string_view text);
// True iff it is an address, not a name.
bool is_address(std::string_view text);
// 127.0.0.0/8, ::1 (also mapped), localhost.
bool is_loopback(std::string_view host);
// Loopback, or an address that the internet does not route: RFC 1918, link-local, fc00::/7.
bool is_private(std::string_view host);

}  // namespace tulpar::config
