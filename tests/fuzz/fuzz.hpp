// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets share: the entry point's name, taking an input apart, and a claim that must hold.
//
// Each NAME.cpp beside this defines LLVMFuzzerTestOneInput once; README.md says how they are run. A target
// keeps nothing from one input to the next, or the input that shows a defect would not show it again.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "config/base.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tulpar::fuzz {

// A wrong answer is a finding, as a crash is.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// The bytes of an input, taken from its front; an input that has ended reads as zeros.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  bool empty() const { return rest_.empty(); }

  std::uint8_t u8() {
    const ByteView one = bytes(1);
    return one.empty() ? 0 : one[0];
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }
  // Mostly small, sometimes huge: one byte below 0xF0, else so many bytes as the low bits of it say.
  std::uint64_t number() {
    const std::uint8_t first = u8();
    return first < 0xF0 ? first : big_endian(1 + (first & 7));
  }
  // As many as there are, at most `count`.
  ByteView bytes(std::size_t count) {
    const ByteView view = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(view.size());
    return view;
  }
  // With a length before them.
  ByteView block() { return bytes(u8()); }
  ByteView rest() { return bytes(rest_.size()); }
  std::string_view rest_text() { return as_text(rest()); }
  // Up to the separator, which is taken, too.
  std::string_view text_until(char separator) {
    const auto all = as_text(rest_);
    const auto text = all.substr(0, all.find(separator));
    rest_ = rest_.subspan(std::min(text.size() + 1, rest_.size()));
    return text;
  }

 private:
  std::uint64_t big_endian(int bytes) {
    std::uint64_t value = 0;
    for (; bytes > 0; --bytes) value = value << 8 | u8();
    return value;
  }
  ByteView rest_;
};

}  // namespace tulpar::fuzz
