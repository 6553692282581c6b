// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/store_model.hpp"

#include <algorithm>

namespace tulpar::queue {

bool StoreModel::is_copy(const NewMessage& message) const {
  return mistake_ != Mistake::kCopiesAreNews && message.packet &&
         seen_.contains({message.packet, message.peer});
}

void StoreModel::accept(const NewMessage& message, MessageId id, std::uint64_t number, BootTime now) {
  const bool copy = is_copy(message), edge = message.peer == kEdge;
  if (message.packet) seen_.insert({{message.packet, message.peer}, {message.packet, message.origin}});
  Book& book = books[{edge, message.cls}];
  if (copy) {
    ++book.duplicates;
    return;
  }
  ++book.accepted;
  if (message.drop != DropReason::kNone) {
    ++book.dropped;
    ++drops[{edge, message.drop}];
    return;
  }
  ++book.queued;
  Message made{.peer = message.peer,
               .cls = message.cls,
               .topic = message.topic,
               .bytes = static_cast<std::uint32_t>(message.topic.size() + message.payload.size()),
               .number = number,
               .owed = message.sinks};
  if (edge && message.sinks == 0) {
    end(made, State::kDelivered, DropReason::kNone, now);
    made.story.reset();
  }
  if (!edge) highest_number = std::max(highest_number, number);
  messages[id] = std::move(made);
}

void StoreModel::end(Message& message, State state, DropReason why, BootTime now) {
  Book& counted = book(message);
  --counted.queued;
  if (state == State::kDelivered) ++counted.delivered;
  if (state == State::kExpired) ++counted.expired;
  if (state == State::kConflated) ++counted.conflated;
  if (state == State::kDropped) {
    ++counted.dropped;
    ++drops[{message.peer == kEdge, why}];
  }
  message.state = state;
  message.owed = 0;
  message.finished = now;
  message.story = now;
  message.has_body = state == State::kDelivered;
}

bool StoreModel::finish(MessageId id, State state, DropReason why, BootTime now) {
  const auto found = messages.find(id);
  if (found == messages.end()) return false;
  const bool may = found->second.state == State::kQueued ||
                   (mistake_ == Mistake::kFinishesTwice && found->second.state == State::kExpired);
  if (may) end(found->second, state, why, now);
  return may;
}

void StoreModel::fly(MessageId id) {
  if (auto& message = messages.at(id); message.unfinished()) message.state = State::kInFlight;
}

void StoreModel::come_back(MessageId id) {
  if (auto& message = messages.at(id); message.state == State::kInFlight) message.state = State::kQueued;
}

bool StoreModel::release(MessageId id, int bit, DropReason why, BootTime now) {
  auto& message = messages.at(id);
  const std::uint64_t mask = std::uint64_t{1} << bit;
  if (!message.unfinished() || !(message.owed & mask)) return false;
  message.owed &= ~mask;
  message.given = message.given || why == DropReason::kNone;
  if (message.owed == 0) end(message, message.given ? State::kDelivered : State::kDropped, why, now);
  return true;
}

bool StoreModel::reclassify(MessageId id, ClassId cls) {
  auto& message = messages.at(id);
  if (message.state != State::kQueued) return false;
  --book(message).accepted;
  --book(message).queued;
  message.cls = cls;
  ++book(message).accepted;
  ++book(message).queued;
  return true;
}

void StoreModel::settle(const SettledBatch& batch, BootTime now) {
  for (const auto& cost : batch.messages) {
    const auto found = messages.find(cost.id);
    if (found == messages.end() || !found->second.unfinished()) continue;
    end(found->second, State::kDelivered, DropReason::kNone, now);
    totals.payload_up += found->second.bytes;
    totals.frame_up += cost.frame_bytes;
  }
  if (batch.enters_history && batch.number >= history_from) sent.insert(batch.number);
  raise_floor(batch.floor);
}

std::optional<std::vector<std::uint64_t>> StoreModel::news(const ReceivedBatch& batch) const {
  if (batch.incarnation != incarnation) return std::nullopt;
  std::vector<std::uint64_t> news;
  if (is_closed(batch.number)) return news;
  for (const auto& message : batch.messages) {
    const auto number = message.origin_number;
    const bool known = number < batch.settled || has_number(number);
    if (!known || mistake_ == Mistake::kReceivesTwice) news.push_back(number);
  }
  return news;
}

void StoreModel::receive(const ReceivedBatch& batch) {
  if (batch.incarnation != incarnation || is_closed(batch.number)) return;
  const auto fresh = *news(batch);
  for (const auto& message : batch.messages) {
    if (std::find(fresh.begin(), fresh.end(), message.origin_number) == fresh.end())
      ++books[{true, message.cls}].duplicates;
    else
      totals.payload_down += static_cast<std::int64_t>(message.topic.size() + message.payload.size());
    numbers.insert(message.origin_number);
  }
  if (mistake_ != Mistake::kForgetsSettled) low = std::max(low, batch.settled);
  closed.insert(batch.number);
  if (batch.enters_history) received.insert(batch.number);
}

void StoreModel::close(std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t batch = first; batch < first + count; ++batch) {
    closed.insert(batch);
    if (mistake_ != Mistake::kKeepsVoided) received.erase(batch);
  }
}

void StoreModel::reset(std::uint64_t of, std::uint64_t below) {
  incarnation = of;
  low = 1;
  closed_below = below;
  numbers.clear();
  closed.clear();
  received.clear();
}

void StoreModel::clear_history(std::uint64_t from) {
  sent.clear();
  if (mistake_ != Mistake::kOldSettlesReturn) history_from = std::max(history_from, from);
}

void StoreModel::start(std::uint64_t end) {
  history_from = 0;
  for (auto& [id, message] : messages)
    if (message.peer != kEdge) come_back(id);
  sent.erase(sent.lower_bound(floor), sent.lower_bound(std::max(floor, batch_end)));
  batch_end = end;
}

void StoreModel::erase(Millis keep, Millis keep_story, BootTime now) {
  for (auto& [id, message] : messages) {
    if (message.unfinished()) continue;
    if (message.finished + keep <= now) message.has_body = false;
    if (!message.story) message.story = now;
  }
  std::erase_if(messages,
                [&](const auto& item) { return item.second.story && *item.second.story + keep_story <= now; });
}

std::vector<MessageId> StoreModel::waiting(PeerId peer) const {
  std::vector<MessageId> ids;
  for (const auto& [id, message] : messages)
    if (message.peer == peer && message.unfinished()) ids.push_back(id);
  return ids;
}

}  // namespace tulpar::queue
