// SPDX-License-Identifier: Apache-2.0
//
// Text for a terminal: numbers as people read them, and lines of coloured spans that know their width.
//
// Pure functions and plain values, any thread. Widths count code points: what is shown here has no wide or
// combining characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base.hpp"
#include "config/types.hpp"

namespace tulpar::demo {

std::string thousands(std::uint64_t number);  // 1,214
std::string byte_count(std::uint64_t bytes);  // 812 B, 41.2 kB, 1.24 MB
std::string byte_mean(double bytes);          // 54 B; – where there is none
std::string time_span(Millis span);           // 0.9 s, 37 s, 1 min 05 s, 2 h 03 min
std::string rough_span(Millis span);          // 40 s, 5 min, 14 h, 3 days
std::string money(config::Money amount);      // 0.243, 12.08
std::size_t text_width(std::string_view utf8);
// The first `width` code points.
std::string clip(std::string_view utf8, std::size_t width);

enum class Ink : std::uint8_t { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan, kBar };

class Line {
 public:
  Line() = default;
  Line(std::string text, Ink ink = Ink::kPlain) { add(std::move(text), ink); }
  Line& add(std::string text, Ink ink = Ink::kPlain);
  Line& add(const Line& other);
  std::size_t width() const;
  // Filled with blanks or cut off.
  Line fit(std::size_t width) const;
  // With the escape sequences of 16-colour terminals, or without any.
  std::string str(bool colour) const;

 private:
  struct Span {
    std::string text;
    Ink ink;
  };
  std::vector<Span> spans_;
};

}  // namespace tulpar::demo
