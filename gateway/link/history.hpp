// SPDX-License-Identifier: Apache-2.0
//
// The plain texts that both ends hold, and the base that a batch is compressed with (FORMAT.md, "Base",
// "Check").
//
// Pure; on the loop thread. A copy of what the store holds (queue::HistoryPart); whoever changes one changes
// the other, in the transaction of the batch.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "config/base.hpp"

namespace tulpar::link {

inline constexpr std::size_t kBaseWindow = 128 * 1024;  // what a base takes of the history, at most
inline constexpr std::size_t kReceiverKeeps = 256 * 1024;

using Digest = std::array<std::uint8_t, 32>;
Digest sha256(ByteView bytes);

// Which batches make a base: what the history has from `oldest` to `newest`, without the holes.
struct BaseName {
  std::uint64_t oldest = 0, newest = 0;
  std::vector<std::uint64_t> holes;  // ascending
  bool operator==(const BaseName&) const = default;
};

struct Base {
  Bytes text;
  Digest digest;
};
// The base without any text.
const Base& empty_base();

class History {
 public:
  // `keep`: bytes of plain text kept at least; the oldest parts beyond go.
  explicit History(std::size_t keep) : keep_(keep) {}

  void add(std::uint64_t batch, Bytes plain);
  void remove(std::uint64_t first, std::uint64_t count);
  void clear();
  bool contains(std::uint64_t batch) const { return parts_.contains(batch); }

  // The name of the largest base that this history gives, without `open` batches; nothing when it is empty.
  std::optional<BaseName> name(const std::vector<std::uint64_t>& open) const;
  Base base(const BaseName& name) const;

 private:
  struct Part {
    Bytes plain;
    Digest digest;
  };
  std::size_t keep_;
  std::size_t size_ = 0;
  std::map<std::uint64_t, Part> parts_;
};

}  // namespace tulpar::link
