// SPDX-License-Identifier: Apache-2.0
//
// Bytes in and out for the link's formats: fixed bytes, unsigned LEB128 varints, bounded views.
//
// Pure values; any thread. A Reader never reads past its end: the first failure sticks (`ok()` is false from
// then on and every read returns zero or an empty view), so a decoder checks once, at the end of each item.
#pragma once

#include <cstring>

#include "config/base.hpp"

namespace tulpar::link {

class Writer {
 public:
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u64(std::uint64_t value) {  // big-endian
    for (int shift = 56; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
  }
  void u32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8(static_cast<std::uint8_t>(value | 0x80));
    u8(static_cast<std::uint8_t>(value));
  }
  void bytes(ByteView view) { out_.insert(out_.end(), view.begin(), view.end()); }
  std::size_t size() const { return out_.size(); }
  Bytes take() { return std::move(out_); }
  ByteView view() const { return out_; }

 private:
  Bytes out_;
};

class Reader {
 public:
  explicit Reader(ByteView in) : in_(in) {}
  bool ok() const { return ok_; }
  bool empty() const { return in_.empty(); }
  std::size_t left() const { return in_.size(); }

  std::uint8_t u8() {
    ByteView one = bytes(1);
    return one.empty() ? 0 : one[0];
  }
  std::uint64_t u64() {
    std::uint64_t value = 0;
    for (std::uint8_t byte : bytes(8)) value = value << 8 | byte;
    return value;
  }
  std::uint32_t u32() {
    std::uint32_t value = 0;
    for (std::uint8_t byte : bytes(4)) value = value << 8 | byte;
    return value;
  }
  // At most 10 bytes, and the value must fit 64 bits.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const std::uint8_t byte = u8();
      if (!ok_ || (shift == 63 && byte > 1)) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    return fail(), 0;
  }
  ByteView bytes(std::size_t count) {
    if (!ok_ || count > in_.size()) return fail(), ByteView{};
    ByteView view = in_.first(count);
    in_ = in_.subspan(count);
    return view;
  }
  ByteView rest() { return bytes(left()); }
  void fail() {
    ok_ = false;
    in_ = {};
  }

 private:
  ByteView in_;
  bool ok_ = true;
};

// Bytes that `value` takes as a varint, 1..10.
inline std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

}  // namespace tulpar::link
