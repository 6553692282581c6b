// SPDX-License-Identifier: Apache-2.0
//
// What a text must not hold before it is given to the TOML parser.
//
// Why: toml++ 3.3 does not bound dotted keys, and destroys its tables recursively (a line `a.a.a…` of a
// megabyte overflows the stack). It takes any letter outside quotes for a possible space, and looks for a key
// behind every opening bracket of a header; both are undefined behaviour where there is none ("[кілт]", "[&";
// its issues 294, 301). One pass over the bytes, pure. Strings in three quotes, and quoted parts behind the dot
// of a key, are refused: no option needs them, and without them strings are easily told from the rest.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tulpar::config {

// Arrays and inline tables inside each other; a plan needs three.
inline constexpr std::size_t kMaxNesting = 16;
// Dots outside quotes in one line, as in keys `a.b.c` and in numbers. With kMaxNesting a tree is about 1,100
// deep at most, which even a sanitizer's stack frames can take.
inline constexpr int kMaxDots = 64;

struct Flaw {
  int line = 0;  // from 1
  std::string message;
};

// The first flaw; nothing: the parser may have it.
std::optional<Flaw> find_flaw(std::string_view text);

}  // namespace tulpar::config
