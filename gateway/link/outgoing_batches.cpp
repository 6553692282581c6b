// SPDX-License-Identifier: Apache-2.0
//
// Outgoing: when a batch is made, and of what.
#include <algorithm>
#include <map>

#include "gateway/link/outgoing.hpp"

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
  keep_apart();
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
void Outgoing::keep_apart() {
  const auto keep = [this](auto first) {
    const auto rest = std::stable_partition(loading_.begin(), loading_.end(), first);
    if (rest == loading_.begin()) return;
    std::for_each(rest, loading_.end(), [this](const auto& entry) { scheduler_->give_back(entry); });
    loading_.erase(rest, loading_.end());
  };
  keep([this](const auto& entry) { return host_->at_hand(entry); });
  keep(is_unstored);
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
  // Others may have been made meanwhile, of what was in memory.
  const auto most_urgent = [](auto& a, auto& b) { return a.cls < b.cls; };
  if (entries.empty() || may_make(std::min_element(entries.begin(), entries.end(), most_urgent)->cls))
    return make(std::move(entries), std::move(bodies), now);
  for (const auto& entry : entries) scheduler_->give_back(entry);
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

}  // namespace tulpar::link
