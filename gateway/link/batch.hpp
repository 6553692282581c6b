// SPDX-License-Identifier: Apache-2.0
//
// Batches: messages ↔ plain text ↔ compressed with the history as base (FORMAT.md, "Batch").
//
// Pure; on the loop thread (the zstd contexts are shared by all peers there). Decoding is strict: any doubt is
// an error and nothing of the batch is used. Sizes in bytes.
#pragma once

#include <memory>
#include <vector>

#include "gateway/link/history.hpp"
#include "gateway/link/wire.hpp"

namespace tulpar::link {

// Messages in a batch, at most. A batch of a MiB could otherwise say "as before" 260,000 times.
inline constexpr std::size_t kMaxMessages = 512;

// A message as it travels. `cls` is the class's name; names other than the five defaults cost their length.
struct LinkMessage {
  std::uint64_t number = 0;
  std::string cls;
  std::string topic;
  Bytes payload;
  std::uint64_t age_s = 0;
  bool flagged = false;
  bool operator==(const LinkMessage&) const = default;
};

// REQUIRES: messages are in ascending number order, none below `settled`.
Bytes encode_plain(std::span<const LinkMessage> messages, std::uint64_t settled);
Result<std::vector<LinkMessage>> decode_plain(ByteView plain, std::uint64_t settled);

struct BatchHead {
  bool enters_history = false, has_base = false, compressed = false, urgent = false;
  std::uint64_t settled = 1;
  BaseName base;  // as distances from the batch's number, see base_name()
  std::uint32_t check = 0;
  std::size_t plain_size = 0;
};
// The head, and how many bytes it takes.
Result<std::pair<BatchHead, std::size_t>> decode_head(ByteView batch);
// The base that the head of batch `number` names; REQUIRES: head.has_base. Error: it reaches below the first
// batch.
Result<BaseName> base_name(const BatchHead& head, std::uint64_t number);

// Compresses and expands. Not thread-safe; one for the whole loop.
class BatchCodec {
 public:
  BatchCodec();
  ~BatchCodec();

  struct Options {
    std::uint64_t number = 0, settled = 1;
    bool urgent = false;
    bool may_enter_history = true;   // bulk does not
    std::optional<BaseName> base{};  // what `base` is called; none: REQUIRES an empty base
  };
  struct Encoded {
    Bytes bytes;
    bool enters_history = false;  // it shrank by a fifth or more and may
    bool has_base = false;
  };
  // Never larger than plain + head. `base` may be empty.
  Encoded encode(ByteView plain, const Base& base, const Options& options);

  enum class Problem { kMalformed, kWrongBase };
  struct Decoded {
    Bytes plain;
    std::optional<Problem> problem;
  };
  // Expands the body of a batch whose head is `head`; checks it.
  Decoded decode(const BatchHead& head, ByteView body, const Base& base);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace tulpar::link
