// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/memory_host.hpp"

#include <fmt/format.h>

namespace tulpar::link {

bool MemoryHost::answer(bool ok, BootTime now) {
  if (jobs_.empty()) return false;
  const auto next = std::move(jobs_.front());
  jobs_.pop_front();
  next(ok, now);
  return true;
}

queue::Entry MemoryHost::accept(queue::ClassId cls, std::uint32_t bytes, BootTime now) {
  ++accepted;
  return {.id = static_cast<queue::MessageId>(accepted),
          .number = accepted,
          .accepted = now,
          .bytes = bytes,
          .node = static_cast<queue::NodeId>(accepted % 3),
          .cls = cls};
}

void MemoryHost::load(const std::vector<queue::Entry>& entries) {
  post([this, entries](bool ok, BootTime now) {
    if (!ok) return outgoing_->on_load_failed();
    std::vector<queue::Body> bodies;
    for (const auto& entry : entries) {
      // Text that shrinks, and differs from message to message.
      const std::string text = fmt::format("{{\"seq\":{},\"all\":\"is well\"}}", entry.id);
      Bytes payload;
      while (payload.size() < entry.bytes) payload.insert(payload.end(), text.begin(), text.end());
      payload.resize(entry.bytes);
      bodies.push_back({entry.id, "t", std::move(payload)});
    }
    outgoing_->on_loaded(std::move(bodies), now);
  });
}

void MemoryHost::reserve(std::uint64_t count) {
  post([this, count](bool, BootTime) { outgoing_->on_reserved(reserved_ += count); });
}

void MemoryHost::finish(const std::vector<queue::Entry>& entries) {
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries) numbers.push_back(entry.number);
  finished += numbers.size();
  post([this, numbers](bool, BootTime) { outgoing_->on_finished(numbers); });
}

void MemoryHost::settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) {
  require(batch.messages.size() == numbers.size(), "a batch is settled whole");
  for (const auto& cost : batch.messages) require(cost.frame_bytes >= 0, "a message costs what it cost");
  finished += numbers.size();
  post([this, numbers = std::move(numbers)](bool, BootTime) { outgoing_->on_settled(numbers); });
}

void MemoryHost::store(ArrivedBatch arrived) {
  const auto& batch = arrived.batch;
  const std::pair key{batch.incarnation, batch.number};
  require(stored_.insert(key).second, fmt::format("batch {} is stored twice", batch.number));
  std::size_t size = batch.plain.size();
  for (const auto& message : arrived.messages)
    size += sizeof message + message.topic.size() + message.payload.size();
  held += size;
  most_held = std::max(most_held, held);
  post([this, key, size](bool ok, BootTime now) {
    held -= size;
    // The store refuses numbers of another life.
    ok = ok && key.first == incarnation;
    if (ok) closed.add(key.second);
    stored += ok;
    if (!ok) stored_.erase(key);
    incoming_->on_stored(key.second, ok, now);
  });
}

void MemoryHost::void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t) {
  post([this, first, count](bool ok, BootTime now) {
    if (ok) closed.add(first, count);
    voided += ok;
    incoming_->on_voided(first, count, ok, now);
  });
}

void MemoryHost::reset(std::uint64_t to, std::uint64_t floor) {
  post([this, to, floor](bool ok, BootTime) {
    if (ok) {
      incarnation = to;
      closed = queue::NumberSet(floor);
      stored_.clear();
    }
    incoming_->on_reset(ok);
  });
}

void MemoryHost::inspect(ByteView frame) {
  const auto items = decode_frame(frame);
  require(items.has_value(), "a frame of ours is malformed");
  require(outgoing_->open_batches() <= kMaxOpenBatches, "too many open batches");
  for (const auto& item : *items) {
    if (const auto* ack = std::get_if<Ack>(&item)) inspect_closed(*ack);
    const auto* greeting = std::get_if<Greeting>(&item);
    if (greeting && greeting->known == incarnation) inspect_closed(greeting->closed);
    if (const auto* fragment = std::get_if<Fragment>(&item)) inspect_fragment(*fragment);
  }
}

void MemoryHost::inspect_closed(const Ack& ack) const {
  auto known = closed;
  const auto told = numbers_of(ack);
  for (const auto& [first, end] : told.runs())
    require(!known.add(first, end - first), "acknowledges a run before it is on disk");
  require(ack.cumulative < closed.low(), fmt::format("acknowledges {} before it is on disk", ack.cumulative));
}

void MemoryHost::inspect_fragment(const Fragment& fragment) {
  require(fragment.batch < reserved_, "a batch number that is not reserved");
  auto& seen = contents_[{own_, fragment.batch}];
  seen.resize(std::max<std::size_t>(seen.size(), fragment.offset + fragment.bytes.size()), -1);
  for (std::size_t i = 0; i < fragment.bytes.size(); ++i) {
    int& byte = seen[fragment.offset + i];
    require(byte == -1 || byte == fragment.bytes[i], fmt::format("batch {} has two contents", fragment.batch));
    byte = fragment.bytes[i];
  }
}

}  // namespace tulpar::link
