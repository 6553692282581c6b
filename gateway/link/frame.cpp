// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/frame.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tulpar::link {
namespace {

constexpr std::uint8_t kGreeting = 0x01, kFragment = 0x10, kAck = 0x20, kVoid = 0x21, kLost = 0x22,
                       kRefused = 0x23, kHold = 0x24, kBye = 0x2F;
constexpr std::uint8_t kHasOffset = 1, kEndsBatch = 2, kHasLength = 4;
// Numbers fit SQLite's signed integers with room for sums: no peer reaches 2^62 in any life.
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 62;
// A receiver has at most this many runs: one for each open batch of the sender, and one more.
constexpr std::uint64_t kMaxRuns = kMaxOpenBatches + 1;

std::uint64_t number(Reader& in) {
  const std::uint64_t value = in.varint();
  if (value >= kMaxNumber) in.fail();
  return value;
}

void put_ack(Writer& out, const Ack& ack) {
  out.varint(ack.cumulative);
  out.varint(ack.runs.size());
  for (const auto& [gap, count] : ack.runs) {
    out.varint(gap);
    out.varint(count);
  }
}

void put_hold(Writer& out, const Hold& hold) {
  out.varint(hold.classes.size());
  for (const auto& name : hold.classes) {
    out.varint(name.size());
    out.bytes(ByteView(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()));
  }
}

Hold get_hold(Reader& in) {
  Hold hold;
  const std::uint64_t count = in.varint();
  if (count > Hold::kMostClasses) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const ByteView name = in.bytes(in.varint());
    if (name.empty() || name.size() > Hold::kLongestName) in.fail();
    hold.classes.emplace_back(name.begin(), name.end());
  }
  return hold;
}

Ack get_ack(Reader& in) {
  Ack ack;
  ack.cumulative = number(in);
  std::uint64_t last = ack.cumulative;
  const std::uint64_t runs = in.varint();
  if (runs > kMaxRuns) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < runs; ++i) {
    const std::uint64_t gap = number(in), count = number(in);
    last += gap + count;
    if (gap == 0 || count == 0 || last >= kMaxNumber) in.fail();
    ack.runs.emplace_back(gap, count);
  }
  return ack;
}

void put_lives(Writer& out, const std::vector<queue::SenderLife>& lives) {
  out.varint(lives.size());
  for (const auto& life : lives) {
    out.u32(life.name);
    if (&life == &lives.back()) break;
    out.varint(life.message_end);
    out.varint(life.batch_end);
  }
}

std::vector<queue::SenderLife> get_lives(Reader& in) {
  std::vector<queue::SenderLife> lives;
  const std::uint64_t count = in.varint();
  if (count == 0 || count > queue::kMostLives) in.fail();
  while (in.ok() && lives.size() < count) {
    queue::SenderLife life{.name = in.u32()};
    if (life.name == 0) in.fail();
    if (lives.size() + 1 < count) {
      life.message_end = number(in);
      life.batch_end = number(in);
    }
    lives.push_back(life);
  }
  return lives;
}

void put_greeting(Writer& out, const Greeting& greeting) {
  Writer body;
  body.u8(greeting.version);
  body.u8(greeting.least);
  body.u64(greeting.incarnation);
  body.u64(greeting.known);
  body.u32(greeting.known_life);
  for (auto value : {greeting.session, greeting.last_session, greeting.last_received, greeting.last_sent})
    body.varint(value);
  put_ack(body, greeting.closed);
  body.varint(greeting.partial.size());
  for (const auto& [batch, have] : greeting.partial) {
    body.varint(batch);
    body.varint(have);
  }
  for (auto value :
       {greeting.floor, greeting.void_count, greeting.next, greeting.settled, greeting.next_message})
    body.varint(value);
  put_lives(body, greeting.lives);
  put_hold(body, greeting.hold);
  out.u8(kGreeting);
  out.varint(body.size());
  out.bytes(body.view());
}

Greeting get_greeting(Reader& frame) {
  Reader in(frame.bytes(frame.varint()));
  Greeting greeting;
  greeting.version = in.u8();
  greeting.least = in.u8();
  greeting.incarnation = in.u64();
  greeting.known = in.u64();
  greeting.known_life = in.u32();
  for (auto* value : {&greeting.session, &greeting.last_session, &greeting.last_received, &greeting.last_sent})
    *value = number(in);
  greeting.closed = get_ack(in);
  const std::uint64_t partials = in.varint();
  if (partials > kMaxOpenBatches) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < partials; ++i) {
    const std::uint64_t batch = number(in);
    greeting.partial.emplace_back(batch, number(in));
  }
  for (auto* value :
       {&greeting.floor, &greeting.void_count, &greeting.next, &greeting.settled, &greeting.next_message})
    *value = number(in);
  greeting.lives = get_lives(in);
  greeting.hold = get_hold(in);
  // What follows belongs to later versions.
  const bool sane = greeting.incarnation != 0 && greeting.incarnation < kMaxNumber &&
                    greeting.known < kMaxNumber && greeting.floor >= 1 && greeting.settled >= 1 &&
                    greeting.least <= greeting.version && greeting.floor + greeting.void_count <= greeting.next;
  if (!in.ok() || !sane) frame.fail();
  return greeting;
}

Fragment get_fragment(Reader& in, std::uint8_t flags) {
  Fragment fragment;
  fragment.batch = number(in);
  if (flags & kHasOffset) fragment.offset = number(in);
  fragment.end = flags & kEndsBatch;
  fragment.bytes = flags & kHasLength ? in.bytes(in.varint()) : in.rest();
  if (fragment.bytes.empty() || fragment.batch == 0 || fragment.offset + fragment.bytes.size() > kMaxBatch)
    in.fail();
  return fragment;
}

std::optional<Item> get_item(Reader& in) {
  const std::uint8_t type = in.u8();
  if (type >= kFragment && type < kFragment + 8) return get_fragment(in, type - kFragment);
  switch (type) {
    case kGreeting:
      return get_greeting(in);
    case kAck:
      return get_ack(in);
    case kVoid: {
      const std::uint64_t first = number(in);
      const Void closed{first, number(in)};
      if (closed.first == 0 || closed.count == 0) in.fail();
      return closed;
    }
    case kLost:
      return Lost{number(in)};
    case kRefused:
      return Refused{number(in)};
    case kHold:
      return get_hold(in);
    case kBye:
      return Bye{static_cast<ByeReason>(in.varint())};
    default:
      return std::nullopt;
  }
}

struct PutItem {
  Writer& out;
  void operator()(const Greeting& greeting) const { put_greeting(out, greeting); }
  void operator()(const Ack& ack) const {
    out.u8(kAck);
    put_ack(out, ack);
  }
  void operator()(const Void& closed) const {
    out.u8(kVoid);
    out.varint(closed.first);
    out.varint(closed.count);
  }
  void operator()(const Lost& lost) const {
    out.u8(kLost);
    out.varint(lost.batch);
  }
  void operator()(const Refused& refused) const {
    out.u8(kRefused);
    out.varint(refused.batch);
  }
  void operator()(const Hold& hold) const {
    out.u8(kHold);
    put_hold(out, hold);
  }
  void operator()(const Bye& bye) const {
    out.u8(kBye);
    out.varint(static_cast<std::uint64_t>(bye.reason));
  }
  void operator()(const Fragment& fragment) const {
    std::uint8_t flags = kHasLength;
    if (fragment.offset) flags |= kHasOffset;
    if (fragment.end) flags |= kEndsBatch;
    out.u8(kFragment + flags);
    out.varint(fragment.batch);
    if (fragment.offset) out.varint(fragment.offset);
    out.varint(fragment.bytes.size());
    out.bytes(fragment.bytes);
  }
};

}  // namespace

const char* to_string(ByeReason reason) {
  switch (reason) {
    case ByeReason::kMalformed:
      return "what came was malformed";
    case ByeReason::kNoCommonVersion:
      return "no common version of the link format: update the older side";
    case ByeReason::kShuttingDown:
      return "shutting down";
    case ByeReason::kRevoked:
      return "the enrolment was revoked";
    case ByeReason::kRolledBack:
      return "state older than what was said before (restored or cloned)";
    case ByeReason::kStoreRefuses:
      return "the store cannot write just now";
    case ByeReason::kReplaced:
      return "replaced by a newer session";
  }
  return "unknown reason";
}

Result<std::vector<Item>> decode_frame(ByteView frame) {
  std::vector<Item> items;
  Reader in(frame);
  while (!in.empty()) {
    auto item = get_item(in);
    if (!item || !in.ok())
      return Error{fmt::format("item {} of a frame of {} bytes is {}", items.size() + 1, frame.size(),
                               item ? "malformed" : "of an unknown type")};
    items.push_back(std::move(*item));
  }
  if (items.empty()) return Error{"an empty frame"};
  return items;
}

bool FrameBuilder::put(const Item& item) {
  if (sealed_) return false;
  Writer one;
  std::visit(PutItem{one}, item);
  if (one.size() > room()) return false;
  out_.bytes(one.view());
  return true;
}

std::size_t FrameBuilder::put_fragment(std::uint64_t batch, std::uint64_t offset, ByteView bytes) {
  if (sealed_ || bytes.empty()) return 0;
  const std::size_t head = 1 + varint_size(batch) + (offset ? varint_size(offset) : 0);
  // Worth its head only with a few bytes behind it, or the rest of the batch.
  constexpr std::size_t kLeast = 8;
  if (room() < head + std::min(kLeast, bytes.size())) return 0;
  const std::size_t with_length = head + varint_size(bytes.size()) + bytes.size();
  if (with_length <= room()) return put(Fragment{batch, offset, true, bytes}) ? bytes.size() : 0;

  const std::size_t count = std::min(bytes.size(), room() - head);
  std::uint8_t flags = count == bytes.size() ? kEndsBatch : 0;
  if (offset) flags |= kHasOffset;
  out_.u8(kFragment + flags);
  out_.varint(batch);
  if (offset) out_.varint(offset);
  out_.bytes(bytes.first(count));
  sealed_ = true;
  return count;
}

}  // namespace tulpar::link
