// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include <fmt/format.h>

namespace tulpar::config {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kShort = 60;
constexpr std::size_t kLine = 200;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The control character that begins at `i`, and how many bytes it has; 0 bytes: there is none.
struct Control {
  unsigned code = 0;
  std::size_t bytes = 0;
};

Control control_at(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20 || c == 0x7F) return {c, 1};
  if (c != 0xC2 || i + 1 == text.size()) return {};
  const auto next = static_cast<unsigned char>(text[i + 1]);
  return next >= 0x80 && next < 0xA0 ? Control{next, 2} : Control{};
}

// The beginning of at most `size` bytes that ends with a whole character.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && is_continuation(text[size])) --size;
  return text.substr(0, size);
}

std::string escape(std::string_view text, std::string_view with_backslash) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const auto control = control_at(text, i); control.bytes != 0) {
      out += fmt::format("\\u{:04X}", control.code);
      i += control.bytes;
      continue;
    }
    if (with_backslash.find(text[i]) != std::string_view::npos) out += '\\';
    out += text[i++];
  }
  return out;
}

}  // namespace

std::string quote(std::string_view text) { return '"' + escape(text, "\"\\") + '"'; }

std::string quote_short(std::string_view text) {
  const auto beginning = cut(text, kShort);
  return quote(beginning) + (beginning.size() < text.size() ? "..." : "");
}

std::string printable(std::string_view text) {
  const auto beginning = cut(text, kLine);
  return escape(beginning, "") + (beginning.size() < text.size() ? "..." : "");
}

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (control_at(text, i).bytes != 0) return true;
  return false;
}

Result<Bytes> parse_base64(std::string_view text) {
  const Error error{R"(not base64; write it as the apps show it, e.g. "AQ==")"};
  if (text.size() % 4 != 0) return error;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return error;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> held));
    bits &= (1u << held) - 1;
  }
  // What is left are the unused bits of the last character.
  if (bits != 0) return error;
  return out;
}

std::string format_base64(ByteView bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto part = bytes.subspan(i, std::min<std::size_t>(3, bytes.size() - i));
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < part.size() ? part[k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= part.size() ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace tulpar::config
