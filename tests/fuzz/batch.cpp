// SPDX-License-Identifier: Apache-2.0
//
// Batches: hostile ones expand to nothing unbounded; what was read as messages is written and read the same;
// what was compressed on a base comes back, and with a byte changed comes back or is refused, never as another
// text.
#include "gateway/link/batch.hpp"

#include "config/types.hpp"
#include "gateway/link/frame.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::link;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 1;  // of all numbers

void read_plain(ByteView plain, std::uint64_t settled) {
  const auto messages = decode_plain(plain, settled);
  if (!messages) return;
  require(!messages->empty() && messages->size() <= kMaxMessages, "a batch holds 1 to 512 messages");
  std::uint64_t least = settled;
  std::size_t total = 0;
  for (const auto& message : *messages) {
    require(message.number >= least && message.number <= kMost, "numbers grow from the settled mark");
    require(!message.topic.empty() && !message.cls.empty(), "a message has a topic and a class");
    least = message.number + 1;
    total += message.topic.size() + message.payload.size();
  }
  require(total <= kMaxBatch, "messages have a bound together");
  const auto again = decode_plain(encode_plain(*messages, settled), settled);
  require(again.has_value() && *again == *messages, "messages are written and read the same");
}

struct Named {
  Base base;
  BaseName name;
};

// A base whose text the input chooses.
Named base_from(Input& in) {
  History history(kBaseWindow);
  for (int parts = in.u8() % 4; parts >= 0; --parts) {
    const auto part = in.block();
    history.add(9 - static_cast<std::uint64_t>(parts), Bytes(part.begin(), part.end()));
  }
  const auto name = history.name({}).value();
  return {history.base(name), name};
}

void read_hostile(Input& in, BatchCodec& codec) {
  const Base base = base_from(in).base;
  const auto batch = in.rest();
  const auto head = decode_head(batch);
  if (!head) return;
  const auto& [flags, head_size] = *head;
  require(head_size <= batch.size(), "a head ends within its batch");
  require(flags.plain_size <= std::max(kMaxBatch, batch.size()), "the size is checked before it is believed");
  if (flags.has_base) (void)base_name(flags, batch.size());
  const auto decoded = codec.decode(flags, batch.subspan(head_size), flags.has_base ? base : empty_base());
  if (decoded.problem) return;
  require(decoded.plain.size() == flags.plain_size, "a text has the size that its head says");
  read_plain(decoded.plain, flags.settled);
}

void there_and_back(Input& in, BatchCodec& codec) {
  const Named named = base_from(in);
  const std::uint16_t at = in.u16();
  const std::uint8_t change = in.u8();
  BatchCodec::Options options{.number = 10, .settled = 1 + in.number() % kMost, .urgent = in.u8() % 2 == 1};
  if (!named.base.text.empty()) options.base = named.name;
  const auto plain = in.rest();
  const auto encoded = codec.encode(plain, named.base, options);
  require(encoded.bytes.size() <= plain.size() + 64, "a batch is never larger than its text and a head");
  auto bytes = encoded.bytes;
  const auto decode = [&]() -> std::optional<Bytes> {
    const auto head = decode_head(bytes);
    if (!head) return std::nullopt;
    const auto& flags = head->first;
    if (flags.has_base && (!base_name(flags, 10) || *base_name(flags, 10) != named.name)) return std::nullopt;
    auto decoded =
        codec.decode(flags, ByteView(bytes).subspan(head->second), flags.has_base ? named.base : empty_base());
    return decoded.problem ? std::nullopt : std::optional(std::move(decoded.plain));
  };
  const auto back = decode();
  require(back && std::ranges::equal(*back, plain), "what was compressed comes back");
  bytes[at % bytes.size()] ^= change;
  // The check has four bytes: of 2^32 changes one is missed.
  const auto changed = decode();
  require(!changed || std::ranges::equal(*changed, plain), "a changed batch is no other text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BatchCodec codec;
  Input in(data, size);
  switch (in.u8() % 3) {
    case 0: {
      const std::uint64_t settled = 1 + in.number() % kMost;
      read_plain(in.rest(), settled);
      break;
    }
    case 1:
      read_hostile(in, codec);
      break;
    default:
      there_and_back(in, codec);
  }
  return 0;
}
