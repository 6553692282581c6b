// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/outgoing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gateway/link/lives.hpp"

namespace tulpar::link {

Outgoing::Outgoing(OutgoingConfig config, queue::Scheduler& scheduler, BatchCodec& codec, OutgoingHost& host,
                   queue::SendState state)
    : config_(std::move(config)),
      scheduler_(&scheduler),
      codec_(&codec),
      host_(&host),
      numbers_(state.batch_floor, state.batch_next, state.batch_end),
      messages_(state.next_message),
      incarnation_(state.incarnation),
      lives_(std::move(state.lives)),
      life_began_(state.batch_next) {
  for (auto& part : state.history) history_.add(part.batch, std::move(part.plain));
  load(state.queued, state.more);
}

void Outgoing::load(std::span<const queue::Entry> entries, bool more) {
  for (const auto& entry : entries) {
    messages_.waits(entry.number);
    scheduler_->add(entry);
  }
  if (!more) messages_.loaded();
}

void Outgoing::describe(Greeting& greeting) {
  greeting.incarnation = incarnation_;
  numbers_.describe(greeting);
  greeting.settled = messages_.settled();
  greeting.next_message = messages_.next();
  // Once the peer has a number of this life, those before mean nothing.
  if (greeting.floor > life_began_) lives_ = {lives_.back()};
  greeting.lives = lives_;
}

void Outgoing::on_connected() {
  greeted_ = false;
  numbers_.on_connected();
}

void Outgoing::on_disconnected() {
  greeted_ = false;
  for (auto& [number, batch] : open_) {
    batch.sent = 0;
    batch.sent_at.reset();
  }
}

Result<void> Outgoing::on_greeting(const Greeting& peer, bool fresh, BootTime now) {
  if (fresh) {
    give_up_those_with_base();
    forget_history();
  } else {
    const auto closed = numbers_of(peer.closed);
    if (auto went_on = remembers(lives_, peer.known_life, closed.end(), 1); !went_on) return went_on;
    if (auto known = numbers_.check(closed); !known) return known;
    if (auto applied = apply(peer.closed, now); !applied) return applied;
  }
  greeted_ = true;
  for (const auto& [number, have] : peer.partial) {
    auto batch = open_.find(number);
    if (fresh || batch == open_.end() || have > batch->second.bytes.size()) continue;
    batch->second.sent = std::max<std::size_t>(batch->second.sent, have);
    if (batch->second.sent == batch->second.bytes.size()) batch->second.sent_at = now;
  }
  return {};
}

bool Outgoing::may_leave(const Open& batch) const { return greeted_ || (batch.urgent && !batch.has_base); }

queue::ClassSet Outgoing::unfinished() const {
  queue::ClassSet classes;
  for (const auto& [number, batch] : open_)
    if (batch.sent < batch.bytes.size() && may_leave(batch)) classes[batch.cls] = true;
  return classes;
}

// The batch that goes on: of the class whose turn it is, or, while that class's batch is still being made, of
// the most urgent one that is begun. A class that was paused or closed in the meantime waits.
Outgoing::OpenBatches::const_iterator Outgoing::next_to_send(BootTime now) const {
  const queue::ClassSet begun = unfinished();
  auto turn = scheduler_->ready(now, begun);
  for (queue::ClassId cls = 0; turn && !begun[*turn] && cls < config_.class_names.size(); ++cls)
    if (begun[cls] && !scheduler_->state(cls).paused && !scheduler_->state(cls).closed) turn = cls;
  return std::find_if(open_.begin(), open_.end(), [&](const auto& item) {
    const auto& batch = item.second;
    return batch.cls == turn && batch.sent < batch.bytes.size() && may_leave(batch);
  });
}

bool Outgoing::has_bytes(BootTime now) const {
  return (greeted_ && numbers_.voids_due()) || next_to_send(now) != open_.end();
}

void Outgoing::fill(FrameBuilder& frame, BootTime now) {
  if (greeted_ && numbers_.voids_due() && !numbers_.put_voids(frame)) return;
  bool urgent_before = false;
  for (auto batch = next_to_send(now); batch != open_.end(); batch = next_to_send(now)) {
    const std::uint64_t number = batch->first;
    Open& open = open_.at(number);
    // Behind an urgent batch nothing else goes into its frame: it would only delay it.
    if (urgent_before && !open.urgent) return;
    const std::size_t room_before = frame.room();
    const std::size_t put = frame.put_fragment(number, open.sent, ByteView(open.bytes).subspan(open.sent));
    if (put == 0) return;
    open.sent += put;
    const std::size_t used = room_before - frame.room();
    open.frame_bytes += static_cast<std::int64_t>(used);
    scheduler_->sent(open.cls, used, unfinished());
    if (open.sent == open.bytes.size()) open.sent_at = now;
    urgent_before = open.urgent;
  }
}

Result<void> Outgoing::on_ack(const Ack& ack, BootTime now) {
  if (numbers_of(ack).end() > numbers_.next())
    return Error{"the peer acknowledges a batch that was never sent"};
  return apply(ack, now);
}

Result<void> Outgoing::apply(const Ack& ack, BootTime now) {
  const queue::NumberSet there = numbers_of(ack);
  if (numbers_.confirm(there)) host_->raise_floor(numbers_.closed().low());
  for (auto batch = open_.begin(); batch != open_.end();) {
    auto next = std::next(batch);
    if (there.contains(batch->first)) {
      if (batch->second.frame_bytes == 0)
        return Error{fmt::format("the peer acknowledges batch {}, of which nothing was sent", batch->first)};
      close(batch, now);
    }
    batch = next;
  }
  return {};
}

void Outgoing::close(OpenBatches::iterator batch, BootTime now) {
  auto& [number, open] = *batch;
  if (open.sent_at) round_trip_ = now - *open.sent_at;
  numbers_.close(number);
  queue::SettledBatch settled{.number = number,
                              .floor = numbers_.closed().low(),
                              .enters_history = open.enters_history && number >= history_from_,
                              .plain = {},
                              .messages = {}};
  std::int64_t total = 0;
  for (const auto& entry : open.entries) total += entry.bytes + 1;
  std::int64_t sum = 0, given = 0;
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : open.entries) {
    // Differences of rounded cumulative shares: the parts add up to the whole.
    sum += entry.bytes + 1;
    const std::int64_t upto = open.frame_bytes * sum / total;
    settled.messages.push_back({entry.id, upto - given});
    scheduler_->charge(entry.cls, entry.node, upto - given - entry.bytes);
    given = upto;
    numbers.push_back(entry.number);
    alone_.erase(entry.id);
  }
  if (settled.enters_history) {
    settled.plain = open.plain;
    history_.add(number, std::move(open.plain));
  }
  open_.erase(batch);
  host_->settle(std::move(settled), std::move(numbers));
}

void Outgoing::give_up(OpenBatches::iterator batch) {
  numbers_.give_up(batch->first);
  const auto entries = std::move(batch->second.entries);
  open_.erase(batch);
  for (const auto& entry : entries) scheduler_->give_back(entry);
  host_->given_back(entries);
}

void Outgoing::give_up_those_with_base() {
  for (auto batch = open_.begin(); batch != open_.end();) {
    auto next = std::next(batch);
    if (batch->second.has_base) give_up(batch);
    batch = next;
  }
}

void Outgoing::forget_history() {
  history_.clear();
  history_from_ = numbers_.next();
  host_->clear_history(history_from_);
}

void Outgoing::on_lost(std::uint64_t number) {
  auto batch = open_.find(number);
  if (batch == open_.end()) return;
  // Without a base there is nothing to lose: such an answer is a refusal in disguise.
  if (!batch->second.has_base) return on_refused(number);
  give_up(batch);
  forget_history();
}

void Outgoing::on_refused(std::uint64_t number) {
  auto batch = open_.find(number);
  if (batch == open_.end()) return;
  if (batch->second.entries.size() > 1) {
    for (const auto& entry : batch->second.entries) alone_.insert(entry.id);
    return give_up(batch);
  }
  numbers_.give_up(number);
  const auto entries = std::move(batch->second.entries);
  open_.erase(batch);
  alone_.erase(entries.front().id);
  host_->drop(entries, queue::DropReason::kRefused);
}

void Outgoing::on_renewed(std::uint64_t incarnation) {
  incarnation_ = incarnation;
  while (!open_.empty()) give_up(open_.begin());
  // The store has cleared it, but what was settled before may be committed after that.
  forget_history();
  numbers_.renew();
  host_->raise_floor(numbers_.next());
}

void Outgoing::on_settled(std::span<const std::uint64_t> numbers) {
  for (const auto number : numbers) messages_.finish(number);
}

std::size_t Outgoing::in_flight_bytes() const {
  return std::accumulate(open_.begin(), open_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& batch) { return sum + batch.second.bytes.size(); });
}

std::size_t Outgoing::in_flight_bytes(queue::ClassId cls) const {
  std::size_t bytes = 0;
  for (const auto& [number, batch] : open_)
    for (const auto& entry : batch.entries)
      if (entry.cls == cls) bytes += entry.bytes;
  return bytes;
}

std::size_t Outgoing::in_flight_messages(queue::ClassId cls) const {
  const auto of_class = [&](const auto& entry) { return entry.cls == cls; };
  std::ptrdiff_t count = std::count_if(loading_.begin(), loading_.end(), of_class);
  for (const auto& [number, batch] : open_)
    count += std::count_if(batch.entries.begin(), batch.entries.end(), of_class);
  return static_cast<std::size_t>(count);
}

std::optional<BootTime> Outgoing::waiting_since() const {
  std::optional<BootTime> oldest;
  for (const auto& [number, batch] : open_)
    if (batch.sent_at && (!oldest || *batch.sent_at < *oldest)) oldest = batch.sent_at;
  return oldest;
}

}  // namespace tulpar::link
