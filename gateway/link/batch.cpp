// SPDX-License-Identifier: Apache-2.0
// The advanced interface: refPrefix exists in the stable one, frames without magic number only here.
#define ZSTD_STATIC_LINKING_ONLY
#include "gateway/link/batch.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <array>

#include "config/types.hpp"
#include "gateway/link/frame.hpp"

namespace tulpar::link {
namespace {

constexpr std::uint8_t kEntersHistory = 1, kHasBase = 2, kCompressed = 4, kUrgent = 8;
constexpr std::uint8_t kClassMask = 0x0F, kNamedClass = 15, kSameTopic = 0x10, kFlagged = 0x20;
constexpr std::array<std::string_view, 5> kClassCodes = {"emergency", "message", "normal", "telemetry", "bulk"};
// Level 9 costs 0.3 ms a batch with a full base on a 2 GHz core; 19 costs 9 ms for 2 to 3 % fewer bytes
// (DESIGN.md).
constexpr int kLevel = 9;
// The window must span base and batch, or the base is out of reach: 2^21 covers 128 KiB + kMaxBatch.
constexpr int kWindowLog = 21;
constexpr std::uint64_t kMaxAge = 10ull * 366 * 86'400;
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 62;
// Smallest thing a message can be on the wire: head, step, age, empty payload's length.
constexpr std::size_t kLeastMessage = 4;

// Bounds only: what a topic may contain is judged where messages are accepted, and by the broker where they
// leave.
bool fits(const LinkMessage& message) {
  return !message.topic.empty() && message.topic.size() <= config::kMaxTopic &&
         message.payload.size() <= config::kMaxPayload;
}

std::uint32_t check_of(const Base& base, ByteView plain) {
  // One pass over the plain text; the base went into its digest once.
  Digest digest;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  EVP_DigestUpdate(context, base.digest.data(), base.digest.size());
  EVP_DigestUpdate(context, plain.data(), plain.size());
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  return std::uint32_t{digest[0]} << 24 | std::uint32_t{digest[1]} << 16 | std::uint32_t{digest[2]} << 8 |
         digest[3];
}

void put_message(Writer& out, const LinkMessage& message, const LinkMessage* previous, std::uint64_t step) {
  const auto code = std::find(kClassCodes.begin(), kClassCodes.end(), message.cls);
  const bool named = code == kClassCodes.end();
  const bool same_topic = previous && previous->topic == message.topic;
  std::uint8_t head = named ? kNamedClass : static_cast<std::uint8_t>(code - kClassCodes.begin());
  if (same_topic) head |= kSameTopic;
  if (message.flagged) head |= kFlagged;
  out.u8(head);
  if (named) {
    out.u8(static_cast<std::uint8_t>(message.cls.size()));
    out.bytes(as_bytes(message.cls));
  }
  out.varint(step);
  out.varint(std::min(message.age_s, kMaxAge));
  if (!same_topic) {
    out.varint(message.topic.size());
    out.bytes(as_bytes(message.topic));
  }
  out.varint(message.payload.size());
  out.bytes(message.payload);
}

// Reads one message; false if anything of it is not as FORMAT.md says.
bool get_message(Reader& in, LinkMessage& message, const LinkMessage* previous, std::uint64_t least) {
  const std::uint8_t head = in.u8();
  const std::uint8_t code = head & kClassMask;
  if (head & ~(kClassMask | kSameTopic | kFlagged)) return false;
  if (code == kNamedClass)
    message.cls = as_text(in.bytes(in.u8()));
  else if (code < kClassCodes.size())
    message.cls = kClassCodes[code];
  if (message.cls.empty()) return false;
  message.flagged = head & kFlagged;
  const std::uint64_t step = in.varint();
  if (step >= kMaxNumber || least + step >= kMaxNumber) return false;
  message.number = least + step;
  message.age_s = in.varint();
  if (head & kSameTopic) {
    if (!previous) return false;
    message.topic = previous->topic;
  } else {
    message.topic = as_text(in.bytes(in.varint()));
  }
  const ByteView payload = in.bytes(in.varint());
  message.payload.assign(payload.begin(), payload.end());
  return in.ok() && fits(message) && message.age_s <= kMaxAge;
}

}  // namespace

Bytes encode_plain(std::span<const LinkMessage> messages, std::uint64_t settled) {
  Writer out;
  out.varint(messages.size());
  const LinkMessage* previous = nullptr;
  for (const auto& message : messages) {
    put_message(out, message, previous, message.number - (previous ? previous->number + 1 : settled));
    previous = &message;
  }
  return out.take();
}

Result<std::vector<LinkMessage>> decode_plain(ByteView plain, std::uint64_t settled) {
  Reader in(plain);
  const std::uint64_t count = in.varint();
  if (!in.ok() || count == 0 || count > kMaxMessages || count > in.left() / kLeastMessage)
    return Error{fmt::format("a batch of {} bytes cannot hold {} messages", plain.size(), count)};
  std::vector<LinkMessage> messages;
  messages.reserve(count);
  std::size_t expanded = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const LinkMessage* previous = messages.empty() ? nullptr : &messages.back();
    LinkMessage message;
    if (!get_message(in, message, previous, previous ? previous->number + 1 : settled))
      return Error{fmt::format("message {} of {} in a batch is malformed", i + 1, count)};
    // "Topic as before" costs nothing on the wire, but it does here.
    expanded += message.topic.size() + message.payload.size();
    if (expanded > kMaxBatch)
      return Error{fmt::format("a batch of {} bytes holds more than {}", plain.size(), kMaxBatch)};
    messages.push_back(std::move(message));
  }
  if (!in.empty()) return Error{fmt::format("{} bytes after the last message of a batch", in.left())};
  return messages;
}

Result<std::pair<BatchHead, std::size_t>> decode_head(ByteView batch) {
  Reader in(batch);
  BatchHead head;
  const std::uint8_t flags = in.u8();
  head.enters_history = flags & kEntersHistory;
  head.has_base = flags & kHasBase;
  head.compressed = flags & kCompressed;
  head.urgent = flags & kUrgent;
  head.settled = in.varint();
  if (head.has_base) {
    head.base.newest = in.varint();
    head.base.oldest = in.varint();
    const std::uint64_t holes = in.varint();
    if (holes > kMaxOpenBatches) in.fail();
    for (std::uint64_t i = 0; in.ok() && i < holes; ++i) head.base.holes.push_back(in.varint());
  }
  for (int i = 0; i < 4; ++i) head.check = head.check << 8 | in.u8();
  if (head.compressed) head.plain_size = in.varint();
  const bool sane =
      head.settled >= 1 && head.settled < kMaxNumber && head.plain_size <= kMaxBatch && !(flags & 0xF0);
  if (!in.ok() || !sane) return Error{"the head of a batch is malformed"};
  if (!head.compressed) head.plain_size = in.left();
  return std::pair{head, batch.size() - in.left()};
}

Result<BaseName> base_name(const BatchHead& head, std::uint64_t number) {
  const Error wrong{fmt::format("the base of batch {} reaches below the first batch", number)};
  if (head.base.newest >= number - 1) return wrong;
  BaseName name{0, number - 1 - head.base.newest, {}};
  if (head.base.oldest >= name.newest) return wrong;
  name.oldest = name.newest - head.base.oldest;
  std::uint64_t hole = name.oldest;
  for (const auto gap : head.base.holes) {
    if (gap == 0 || gap >= name.newest - hole) return wrong;
    name.holes.push_back(hole += gap);
  }
  return name;
}

struct BatchCodec::Contexts {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> compress{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> expand{ZSTD_createDCtx(), ZSTD_freeDCtx};
  Bytes scratch;
};

BatchCodec::BatchCodec() : contexts_(std::make_unique<Contexts>()) {
  auto* compress = contexts_->compress.get();
  ZSTD_CCtx_setParameter(compress, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(compress, ZSTD_c_format, ZSTD_f_zstd1_magicless);
  ZSTD_CCtx_setParameter(compress, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(compress, ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter(compress, ZSTD_c_dictIDFlag, 0);
  ZSTD_DCtx_setParameter(contexts_->expand.get(), ZSTD_d_format, ZSTD_f_zstd1_magicless);
  ZSTD_DCtx_setParameter(contexts_->expand.get(), ZSTD_d_windowLogMax, kWindowLog + 1);
}

BatchCodec::~BatchCodec() = default;

BatchCodec::Encoded BatchCodec::encode(ByteView plain, const Base& base, const Options& options) {
  auto* compress = contexts_->compress.get();
  auto& scratch = contexts_->scratch;
  scratch.resize(ZSTD_compressBound(plain.size()));
  if (!base.text.empty()) ZSTD_CCtx_refPrefix(compress, base.text.data(), base.text.size());
  const std::size_t size = ZSTD_compress2(compress, scratch.data(), scratch.size(), plain.data(), plain.size());
  const bool smaller = !ZSTD_isError(size) && size + varint_size(plain.size()) < plain.size();

  Encoded encoded;
  encoded.enters_history = options.may_enter_history && smaller && size * 5 <= plain.size() * 4;
  std::uint8_t flags = 0;
  if (encoded.enters_history) flags |= kEntersHistory;
  if (smaller) flags |= kCompressed;
  if (options.urgent) flags |= kUrgent;
  const bool with_base = encoded.has_base = options.base && smaller;
  if (with_base) flags |= kHasBase;
  Writer out;
  out.u8(flags);
  out.varint(options.settled);
  if (with_base) {
    const BaseName& name = *options.base;
    out.varint(options.number - 1 - name.newest);
    out.varint(name.newest - name.oldest);
    out.varint(name.holes.size());
    std::uint64_t before = name.oldest;
    for (const auto hole : name.holes) {
      out.varint(hole - before);
      before = hole;
    }
  }
  const std::uint32_t check = check_of(with_base ? base : empty_base(), plain);
  for (int shift = 24; shift >= 0; shift -= 8) out.u8(static_cast<std::uint8_t>(check >> shift));
  if (smaller) out.varint(plain.size());
  out.bytes(smaller ? ByteView(scratch).first(size) : plain);
  encoded.bytes = out.take();
  return encoded;
}

BatchCodec::Decoded BatchCodec::decode(const BatchHead& head, ByteView body, const Base& base) {
  const Problem blame = head.has_base ? Problem::kWrongBase : Problem::kMalformed;
  Decoded decoded;
  if (head.compressed) {
    auto* expand = contexts_->expand.get();
    ZSTD_DCtx_reset(expand, ZSTD_reset_session_only);
    if (!base.text.empty()) ZSTD_DCtx_refPrefix(expand, base.text.data(), base.text.size());
    decoded.plain.resize(head.plain_size);
    const std::size_t size =
        ZSTD_decompressDCtx(expand, decoded.plain.data(), decoded.plain.size(), body.data(), body.size());
    if (size != head.plain_size) return {{}, blame};
  } else {
    decoded.plain.assign(body.begin(), body.end());
  }
  if (check_of(base, decoded.plain) != head.check) return {{}, blame};
  return decoded;
}

}  // namespace tulpar::link
