// SPDX-License-Identifier: Apache-2.0
//
// Strict reading of protobuf messages for the decoders of this folder (their only users).
//
// Stricter than protobuf asks: a known field stands at most once, has its wire type and fits its bounds.
// Channel encryption has no integrity check, so "does it parse" is the only sign that a key was right, and the
// bytes come from anyone. Unknown fields are skipped: newer firmware adds some. Views point into the input.
// protozero's exceptions end here; a Problem is a literal that says what is wrong.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "bridge/utf8.hpp"
#include "config/base.hpp"

namespace tulpar::bridge::meshtastic::wire {

using Reader = protozero::pbf_reader;
using Type = protozero::pbf_wire_type;
using Problem = const char*;  // nullptr: none

inline constexpr Problem kWrongType = "has the wrong wire type";
inline constexpr Problem kOutOfRange = "is out of range";
inline constexpr Problem kTooLong = "is too long";

inline Problem take(Reader& reader, std::uint32_t& out,
                    std::uint64_t max = std::numeric_limits<std::uint32_t>::max()) {
  if (reader.wire_type() != Type::varint) return kWrongType;
  const auto value = reader.get_uint64();
  if (value > max) return kOutOfRange;
  out = static_cast<std::uint32_t>(value);
  return nullptr;
}

inline Problem take(Reader& reader, std::int32_t& out) {
  if (reader.wire_type() != Type::varint) return kWrongType;
  const auto value = reader.get_int64();
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()) {
    return kOutOfRange;
  }
  out = static_cast<std::int32_t>(value);
  return nullptr;
}

inline Problem take(Reader& reader, bool& out) {
  if (reader.wire_type() != Type::varint) return kWrongType;
  out = reader.get_uint64() != 0;
  return nullptr;
}

inline Problem take_fixed(Reader& reader, std::uint32_t& out) {
  if (reader.wire_type() != Type::fixed32) return kWrongType;
  out = reader.get_fixed32();
  return nullptr;
}

inline Problem take_float(Reader& reader, float& out) {
  if (reader.wire_type() != Type::fixed32) return kWrongType;
  out = reader.get_float();
  return nullptr;
}

inline Problem take(Reader& reader, ByteView& out, std::size_t max) {
  if (reader.wire_type() != Type::length_delimited) return kWrongType;
  const auto view = reader.get_view();
  out = as_bytes({view.data(), view.size()});
  return out.size() > max ? kTooLong : nullptr;
}

inline Problem take(Reader& reader, std::string_view& out, std::size_t max) {
  ByteView bytes;
  if (const Problem problem = take(reader, bytes, max)) return problem;
  out = as_text(bytes);
  return valid_utf8(out) ? nullptr : "is not UTF-8";
}

// Calls take_field(reader) -> Problem for each field numbered 1..last_known, skips the others. The value has
// bit n set iff field n stood there. REQUIRES: last_known <= 31. `message` names the message in the error.
template <class TakeField>
Result<std::uint32_t> for_each_field(std::string_view message, ByteView bytes, std::uint32_t last_known,
                                     TakeField take_field) {
  std::uint32_t present = 0;
  try {
    Reader reader{as_text(bytes).data(), bytes.size()};
    while (reader.next()) {
      const std::uint32_t field = reader.tag();
      if (field > last_known) {
        reader.skip();
        continue;
      }
      const std::uint32_t bit = 1u << field;
      const Problem problem = present & bit ? "stands there twice" : take_field(reader);
      if (problem) return Error{fmt::format("{}: field {} {}", message, field, problem)};
      present |= bit;
    }
  } catch (const protozero::exception&) {
    return Error{fmt::format("{}: cut short or not protobuf", message)};
  }
  return present;
}

}  // namespace tulpar::bridge::meshtastic::wire
