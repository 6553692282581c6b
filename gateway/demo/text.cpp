// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tulpar::demo {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string_view escape(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kDim:
      return "\x1b[2m";
    case Ink::kRed:
      return "\x1b[1;31m";
    case Ink::kGreen:
      return "\x1b[32m";
    case Ink::kYellow:
      return "\x1b[33m";
    case Ink::kCyan:
      return "\x1b[36m";
    case Ink::kBar:
      return "\x1b[7m";
  }
  return "";
}

}  // namespace

std::string thousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string byte_count(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1'000) return fmt::format("{} B", bytes);
  if (bytes < 99'950) return fmt::format("{:.1f} kB", value / 1e3);
  if (bytes < 999'500) return fmt::format("{:.0f} kB", value / 1e3);
  return fmt::format("{:.2f} MB", value / 1e6);
}

std::string byte_mean(double bytes) { return bytes > 0 ? fmt::format("{:.0f} B", bytes) : "–"; }

std::string time_span(Millis span) {
  const std::int64_t ms = std::max<std::int64_t>(0, span.count());
  if (ms < 9'950) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1e3);
  const std::int64_t s = (ms + 500) / 1000;
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

std::string rough_span(Millis span) {
  const std::int64_t s = (std::max<std::int64_t>(0, span.count()) + 500) / 1000;
  if (s < 90) return fmt::format("{} s", s);
  if (s < 90 * 60) return fmt::format("{} min", (s + 30) / 60);
  if (s < 48 * 3600) return fmt::format("{} h", (s + 1800) / 3600);
  return fmt::format("{} days", (s + 43'200) / 86'400);
}

std::string money(config::Money amount) {
  const double value = static_cast<double>(amount) / 1e9;
  return value < 9.9995 ? fmt::format("{:.3f}", value) : fmt::format("{:.2f}", value);
}

std::size_t text_width(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts_character));
}

std::string clip(std::string_view utf8, std::size_t width) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < utf8.size(); ++end) {
    if (starts_character(utf8[end]) && seen++ == width) break;
  }
  return std::string(utf8.substr(0, end));
}

Line& Line::add(std::string text, Ink ink) {
  if (!spans_.empty() && spans_.back().ink == ink) {
    spans_.back().text += text;
  } else {
    spans_.push_back({std::move(text), ink});
  }
  return *this;
}

Line& Line::add(const Line& other) {
  for (const Span& span : other.spans_) add(span.text, span.ink);
  return *this;
}

std::size_t Line::width() const {
  std::size_t total = 0;
  for (const Span& span : spans_) total += text_width(span.text);
  return total;
}

Line Line::fit(std::size_t width) const {
  Line fitted;
  std::size_t left = width;
  for (const Span& span : spans_) {
    std::string text = clip(span.text, left);
    left -= text_width(text);
    fitted.add(std::move(text), span.ink);
  }
  return fitted.add(std::string(left, ' '), spans_.empty() ? Ink::kPlain : spans_.back().ink);
}

std::string Line::str(bool colour) const {
  std::string out;
  for (const Span& span : spans_) {
    const bool inked = colour && span.ink != Ink::kPlain && !span.text.empty();
    if (inked) out += escape(span.ink);
    out += span.text;
    if (inked) out += "\x1b[0m";
  }
  return out;
}

}  // namespace tulpar::demo
