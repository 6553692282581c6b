// SPDX-License-Identifier: Apache-2.0
//
// Frames: what a transport carries at once (FORMAT.md, "Frame" and "Greeting"). Encoding and strict decoding.
//
// Pure; any thread. Decoding never throws and never reads past the view; fragments point into the decoded view.
#pragma once

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/link/wire.hpp"
#include "queue/message_numbers.hpp"

namespace tulpar::link {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint8_t kLeastVersion = 1;
// A frame on the tls transport; the length prefix is not counted.
inline constexpr std::size_t kMaxFrame = 16'384;
// The largest message (config::kMaxPayload), its topic and heads fit.
inline constexpr std::size_t kMaxBatch = (1u << 20) + (128u << 10);
inline constexpr std::size_t kMaxOpenBatches = 32;
// Numbers that a sender may be ahead of the cumulative one.
inline constexpr std::uint64_t kMaxBatchAhead = 4096;

// Values are on the wire.
enum class ByeReason : std::uint64_t {
  kMalformed = 1,
  kNoCommonVersion = 2,
  kShuttingDown = 3,
  kRevoked = 4,
  kRolledBack = 5,
  kStoreRefuses = 6,
  kReplaced = 7,
};
const char* to_string(ByeReason reason);

// Closed batch numbers: all up to `cumulative`, and runs of (open gap, closed count) above.
struct Ack {
  std::uint64_t cumulative = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
  bool operator==(const Ack&) const = default;
};

// Classes that the sender of this does not want to be sent for now, by name: its plan withholds them. Replaces
// what the last one in this session said.
struct Hold {
  static constexpr std::size_t kMostClasses = 16, kLongestName = 32;
  std::vector<std::string> classes;
  bool operator==(const Hold&) const = default;
};

struct Greeting {
  std::uint8_t version = kVersion, least = kLeastVersion;
  std::uint64_t incarnation = 0, known = 0;
  std::uint32_t known_life = 0;  // of `known`, the last that was heard here; 0: none
  std::uint64_t session = 0, last_session = 0, last_received = 0, last_sent = 0;
  Ack closed;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> partial;  // batch, bytes had from its start
  std::uint64_t floor = 1, void_count = 0, next = 1, settled = 1, next_message = 1;
  std::vector<queue::SenderLife> lives{{}};  // queue::SendState::lives
  Hold hold{};
  bool operator==(const Greeting&) const = default;
};

struct Fragment {
  std::uint64_t batch = 0;
  std::uint64_t offset = 0;
  bool end = false;
  ByteView bytes;
};

struct Void {
  std::uint64_t first = 0, count = 0;
};
struct Lost {
  std::uint64_t batch = 0;
};
struct Refused {
  std::uint64_t batch = 0;
};
struct Bye {
  ByeReason reason = ByeReason::kMalformed;
};

using Item = std::variant<Greeting, Fragment, Ack, Void, Lost, Refused, Hold, Bye>;

// All items of a frame, or an Error that says which item is wrong and how.
Result<std::vector<Item>> decode_frame(ByteView frame);

// Builds one frame of at most `limit` bytes. put() is for items that must fit (control, small); fragments take
// what is left.
class FrameBuilder {
 public:
  explicit FrameBuilder(std::size_t limit) : limit_(limit) {}

  // False, and nothing is written, if it does not fit.
  bool put(const Item& item);
  // Puts as many of `bytes` (the batch from `offset` on, `end`: to its last byte) as fit; the number put, 0 if
  // none fit. The fragment is the frame's last item unless all of it was put with room left.
  std::size_t put_fragment(std::uint64_t batch, std::uint64_t offset, ByteView bytes);
  std::size_t room() const { return limit_ - out_.size(); }
  bool empty() const { return out_.size() == 0; }
  Bytes take() { return out_.take(); }

 private:
  std::size_t limit_;
  Writer out_;
  bool sealed_ = false;  // ends with a fragment that has no length
};

}  // namespace tulpar::link
