// SPDX-License-Identifier: Apache-2.0
#include "config/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tulpar::config {
namespace {

using Address6 = std::array<std::uint8_t, 16>;
constexpr Address6 kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};  // ::ffff:0:0/96, RFC 4291

// IPv4 as mapped IPv6; nothing for a name.
std::optional<Address6> parse_address(std::string_view text) {
  const std::string host(text);
  Address6 address = kMapped;
  if (inet_pton(AF_INET, host.c_str(), address.data() + 12) == 1) return address;
  if (inet_pton(AF_INET6, host.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

bool is_mapped(const Address6& address) {
  return std::equal(kMapped.begin(), kMapped.begin() + 12, address.begin());
}

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  std::string_view label;
  for (bool more = true; more;) {
    const auto dot = text.find('.');
    label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_'; }))
      return false;
    more = dot != std::string_view::npos;
    if (more) text.remove_prefix(dot + 1);
  }
  // An all-numeric last label would be an address, and parse_address says that it is none ("300.1.1.1").
  return !std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

bool is_host(std::string_view text) {
  return text.find('\0') == std::string_view::npos && (parse_address(text) || is_host_name(text));
}

bool is_address(std::string_view text) {
  return text.find('\0') == std::string_view::npos && parse_address(text).has_value();
}

Result<HostPort> parse_host_port(std::string_view text) {
  const Error error{R"(not HOST:PORT; write e.g. "127.0.0.1:8480" or "[::1]:8480")"};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return error;
  auto host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  // Without brackets "::1:80" could also be an address without a port.
  if (!port || !is_host(host) || brackets != (host.find(':') != std::string_view::npos)) return error;
  return HostPort{std::string(host), *port};
}

std::string format_host_port(const HostPort& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", address.host, brackets ? "]" : "", address.port);
}

bool is_loopback(std::string_view host) {
  const auto address = parse_address(host);
  if (!address) return host == "localhost";
  if (is_mapped(*address)) return (*address)[12] == 127;
  return std::all_of(address->begin(), address->end() - 1, [](auto byte) { return byte == 0; }) &&
         address->back() == 1;
}

bool is_private(std::string_view host) {
  if (is_loopback(host)) return true;
  const auto address = parse_address(host);
  if (!address) return false;
  const auto& a = *address;
  if (!is_mapped(a)) return (a[0] & 0xFE) == 0xFC || (a[0] == 0xFE && (a[1] & 0xC0) == 0x80);
  return a[12] == 10 || (a[12] == 172 && (a[13] & 0xF0) == 16) || (a[12] == 192 && a[13] == 168) ||
         (a[12] == 169 && a[13] == 254);
}

}  // namespace tulpar::config
