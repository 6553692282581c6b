// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/outgoing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gateway/link/lives.hpp"
#include "gateway/link/unstored.hpp"

namespace tulpar::link {
namespace {

// The last of the 32 open batches that a peer accepts are for what is urgent, and so is the last MiB of its
// memory.
constexpr std::size_t kOpenForAll = kMaxOpenBatches - 4;
constexpr std::size_t kOpenBytesForAll = 3u << 20;
// An interrupted batch this far behind is given up, well before the peer refuses numbers for being too far
// ahead.
constexpr std::uint64_t kLeftBehind = 1024;

}  // namespace

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

bool Outgoing::may_make(queue::ClassId cls) const {
  if (open_.size() >= kMaxOpenBatches) return false;
  if (cls == queue::kEmergency) return numbers_.available(true);
  return greeted_ && numbers_.available(false) && open_.size() < kOpenForAll &&
         in_flight_bytes() < kOpenBytesForAll;
}

bool Outgoing::wants_batch(BootTime now) const {
  if (!loading_.empty()) return false;
  // Whose turn it is decides between a new batch and those that are half sent.
  const queue::ClassSet begun = unfinished();
  const auto turn = scheduler_->ready(now, begun);
  return turn && !begun[*turn] && may_make(*turn);
}

void Outgoing::prepare(BootTime now) {
  if (numbers_.wants_block()) host_->reserve(BatchNumbers::kBlock);
  if (!wants_batch(now)) return;
  // Not before the greeting: the peer may have all of it, and then it is in its history.
  if (greeted_ && numbers_.next() >= numbers_.closed().low() + kLeftBehind && !open_.empty() &&
      open_.begin()->second.sent < open_.begin()->second.bytes.size())
    give_up(open_.begin());

  loading_ =
      scheduler_->pick(now, {.max_bytes = target_, .company_bytes = company_, .max_messages = kMaxMessages});
  keep_unstored_apart();
  const auto alone =
      std::find_if(loading_.begin(), loading_.end(), [&](const auto& e) { return alone_.contains(e.id); });
  if (alone != loading_.end() && loading_.size() > 1) {
    std::iter_swap(loading_.begin(), alone);
    for (std::size_t i = 1; i < loading_.size(); ++i) scheduler_->give_back(loading_[i]);
    loading_.resize(1);
  }
  if (!loading_.empty()) host_->load(std::vector(loading_));
}

// What needs no disk does not wait for one.
void Outgoing::keep_unstored_apart() {
  const auto stored = std::stable_partition(loading_.begin(), loading_.end(), is_unstored);
  if (stored == loading_.begin()) return;
  std::for_each(stored, loading_.end(), [this](const auto& entry) { scheduler_->give_back(entry); });
  loading_.erase(stored, loading_.end());
}

void Outgoing::on_load_failed() {
  for (const auto& entry : std::exchange(loading_, {})) scheduler_->give_back(entry);
}

std::vector<LinkMessage> Outgoing::take_messages(std::vector<queue::Body> bodies,
                                                 std::vector<queue::Entry>& entries, BootTime now) {
  std::map<queue::MessageId, queue::Body*> by_id;
  for (auto& body : bodies) by_id[body.id] = &body;
  const auto drop_unless = [&](auto good, queue::DropReason why) {
    const auto bad = std::partition(entries.begin(), entries.end(), good);
    if (bad != entries.end()) host_->drop(std::vector(bad, entries.end()), why);
    entries.erase(bad, entries.end());
  };
  drop_unless([&](const auto& e) { return by_id.contains(e.id); }, queue::DropReason::kUnreadable);
  // No peer takes it: it would be refused again and again.
  drop_unless([&](const auto& e) { return by_id[e.id]->payload.size() <= config::kMaxPayload; },
              queue::DropReason::kTooLarge);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.number < b.number; });

  std::vector<LinkMessage> messages;
  messages.reserve(entries.size());
  for (const auto& entry : entries) {
    auto& body = *by_id[entry.id];
    const auto age = std::chrono::floor<std::chrono::seconds>(now - entry.accepted).count();
    messages.push_back({.number = entry.number,
                        .cls = config_.class_names.at(entry.cls),
                        .topic = std::move(body.topic),
                        .payload = std::move(body.payload),
                        .age_s = static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0)),
                        .flagged = entry.flagged});
  }
  return messages;
}

void Outgoing::on_loaded(std::vector<queue::Body> bodies, BootTime now,
                         std::span<const queue::MessageId> unread) {
  auto entries = std::exchange(loading_, {});
  std::erase_if(entries, [&](const auto& entry) {
    return std::find(unread.begin(), unread.end(), entry.id) != unread.end();
  });
  make(std::move(entries), std::move(bodies), now);
}

void Outgoing::make(std::vector<queue::Entry> entries, std::vector<queue::Body> bodies, BootTime now) {
  const auto messages = take_messages(std::move(bodies), entries, now);
  if (messages.empty()) return;

  Open batch;
  const std::uint64_t number = numbers_.take();
  batch.cls =
      std::min_element(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.cls < b.cls; })->cls;
  batch.urgent = batch.cls == queue::kEmergency;
  batch.plain = encode_plain(messages, messages_.settled());
  const bool in_history = std::all_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return config_.class_in_history.at(entry.cls);
  });
  std::optional<BaseName> name;
  if (greeted_) {
    std::vector<std::uint64_t> open;
    for (const auto& [other, unused] : open_) open.push_back(other);
    name = history_.name(open);
  }
  auto encoded = codec_->encode(batch.plain, name ? history_.base(*name) : empty_base(),
                                {.number = number,
                                 .settled = messages_.settled(),
                                 .urgent = batch.urgent,
                                 .may_enter_history = in_history && room_in_history(batch.plain.size()),
                                 .base = name});
  batch.bytes = std::move(encoded.bytes);
  batch.enters_history = encoded.enters_history;
  batch.has_base = encoded.has_base;
  batch.base_at = base_at();
  if (batch.enters_history) entered_ += batch.plain.size();
  messages_.sent(entries.back().number);
  std::vector<queue::MessageId> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  batch.entries = std::move(entries);
  open_.emplace(number, std::move(batch));
  host_->begin(number, std::move(ids));
}

// What the receiver adds while a batch is under way must not push out what that batch was built on.
bool Outgoing::room_in_history(std::size_t plain) const {
  std::uint64_t oldest = base_at();
  for (const auto& [number, batch] : open_)
    if (batch.has_base) oldest = std::min(oldest, batch.base_at);
  return entered_ + plain - oldest <= kBaseWindow;
}

std::uint64_t Outgoing::base_at() const {
  std::uint64_t acknowledged = entered_;
  for (const auto& [number, batch] : open_)
    if (batch.enters_history) acknowledged -= batch.plain.size();
  return acknowledged;
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
  std::ptrdiff_t count = 0;
  for (const auto& [number, batch] : open_)
    count += std::count_if(batch.entries.begin(), batch.entries.end(), [&](auto& e) { return e.cls == cls; });
  return static_cast<std::size_t>(count);
}

std::optional<BootTime> Outgoing::waiting_since() const {
  std::optional<BootTime> oldest;
  for (const auto& [number, batch] : open_)
    if (batch.sent_at && (!oldest || *batch.sent_at < *oldest)) oldest = batch.sent_at;
  return oldest;
}

}  // namespace tulpar::link
