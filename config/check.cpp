// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "config/address.hpp"
#include "config/types.hpp"

namespace tulpar::config {
namespace {

constexpr std::string_view kGateway = "{gateway}";

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}
bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

Result<void> accept_if(bool good, std::string_view otherwise) {
  if (good) return {};
  return Error{std::string(otherwise)};
}

}  // namespace

Result<void> check_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), is_name_char) &&
                    text != "." && text != "..";
  return accept_if(good, "not a name; allowed are letters, digits, - _ and . (1 to 63 characters)");
}

Result<void> check_host(std::string_view text) {
  if (is_host(text)) return {};
  if (parse_host_port(text)) return Error{"a host without a port; the port has a key of its own, `port`"};
  return Error{R"(not a host; write a name or an address, e.g. "127.0.0.1")"};
}

Result<void> check_listen(std::string_view text) {
  const auto address = parse_host_port(text);
  return address ? Result<void>{} : Result<void>{address.error()};
}

Result<void> check_listen_address(std::string_view text) {
  const auto address = parse_host_port(text);
  if (!address) return address.error();
  return accept_if(is_address(address->host),
                   R"(needs an address, not a name; write e.g. "127.0.0.1:7700" or "[::1]:7700")");
}

Result<void> check_absolute(std::string_view text) {
  return accept_if(text.starts_with('/'), R"(not an absolute path; write e.g. "/var/lib/tulpar")");
}

Result<void> check_filter(std::string_view text) {
  if (text.empty() || text.size() > kMaxTopic)
    return Error{fmt::format(R"(not a topic filter; write e.g. "msh/#" (1 to {} bytes))", kMaxTopic)};
  for (bool more = true; more;) {
    const auto slash = text.find('/');
    const auto level = text.substr(0, slash);
    more = slash != std::string_view::npos;
    const bool wildcard = level.find_first_of("+#") != std::string_view::npos;
    if (wildcard && level.size() != 1)
      return Error{R"(not a topic filter; + and # each stand alone in a level, e.g. "mesh/+/sos", "msh/#")"};
    if (level == "#" && more) return Error{R"(not a topic filter; # stands only at the end, e.g. "msh/#")"};
    if (more) text.remove_prefix(slash + 1);
  }
  return {};
}

bool filters_overlap(std::string_view a, std::string_view b) {
  const auto wild = [](std::string_view filter) { return filter.starts_with('+') || filter.starts_with('#'); };
  // A leading wildcard selects nothing of the broker's own (MQTT 5.0, 4.7.2).
  if ((wild(a) && b.starts_with('$')) || (wild(b) && a.starts_with('$'))) return false;
  for (;;) {
    const auto end_a = a.find('/'), end_b = b.find('/');
    const auto level_a = a.substr(0, end_a), level_b = b.substr(0, end_b);
    if (level_a == "#" || level_b == "#") return true;
    if (level_a != "+" && level_b != "+" && level_a != level_b) return false;
    const bool more_a = end_a != a.npos, more_b = end_b != b.npos;
    if (more_a) a.remove_prefix(end_a + 1);
    if (more_b) b.remove_prefix(end_b + 1);
    // "a/#" selects "a", too.
    if (!more_a || !more_b) return more_a == more_b || (more_a ? a : b) == "#";
  }
}

Result<void> check_prefix(std::string_view text) {
  if (text.size() > kMaxTopic || text.find_first_of("+#") != std::string_view::npos)
    return Error{R"(not the beginning of a topic; + and # are not allowed, write e.g. "mesh/{gateway}/")"};
  for (auto rest = text; !rest.empty();) {
    const auto brace = rest.find_first_of("{}");
    if (brace == std::string_view::npos) break;
    if (!rest.substr(brace).starts_with(kGateway)) return Error{"the only placeholder is {gateway}"};
    rest.remove_prefix(brace + kGateway.size());
  }
  return {};
}

Result<void> check_source_prefix(std::string_view text) {
  if (const auto prefix = check_prefix(text); !prefix) return prefix;
  const auto at = text.find(kGateway);
  const bool once = at != std::string_view::npos && text.find(kGateway, at + 1) == std::string_view::npos;
  const bool level =
      once && (at == 0 || text[at - 1] == '/') && text.substr(at + kGateway.size()).starts_with('/');
  return accept_if(level && text.ends_with('/'),
                   R"(needs {gateway} once, as a level of its own, and / at its end, e.g. "down/{gateway}/")");
}

Result<void> check_channel_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 11 && text.find_first_of("/+#") == std::string_view::npos;
  return accept_if(good, R"(not a channel name; 1 to 11 bytes without / + #, e.g. "LongFast")");
}

Result<void> check_node_id(std::string_view text) {
  const bool good = text.size() == 9 && text[0] == '!' && std::all_of(text.begin() + 1, text.end(), is_hex);
  return accept_if(good, R"(not a node; write "!" and eight hexadecimal digits, e.g. "!7efeee00")");
}

Result<void> check_currency(std::string_view text) {
  const bool good =
      text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return accept_if(good, R"(not a currency; write the three letters of ISO 4217, e.g. "USD")");
}

Result<void> check_zone(std::string_view text) {
  // Must work on a machine without a time zone database, too.
  if (text == "UTC") return {};
  try {
    date::locate_zone(std::string(text));
    return {};
  } catch (const std::runtime_error&) {
    return Error{R"(no such time zone here; write an IANA name, e.g. "Asia/Almaty" or "UTC")"};
  }
}

}  // namespace tulpar::config
