// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/explore_disk.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gateway/link/batch_numbers.hpp"

namespace tulpar::link::explore {
namespace {

using queue::State;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::vector<queue::HistoryPart> parts(const Disk::History& history) {
  std::vector<queue::HistoryPart> parts;
  for (const auto& [batch, plain] : history) parts.push_back({batch, plain});
  return parts;
}

void cut(Disk::History& history, std::uint64_t first, std::uint64_t end) {
  if (first < end) history.erase(history.lower_bound(first), history.lower_bound(end));
}

}  // namespace

queue::Entry Disk::entry(queue::MessageId id) const {
  const Message& message = messages.at(static_cast<std::size_t>(id - 1));
  return {.id = id,
          .number = message.number,
          .bytes = static_cast<std::uint32_t>(message.mail.topic.size() + message.mail.payload.size()),
          .node = 1,
          .cls = message.mail.cls};
}

std::uint64_t Disk::least_unfinished(std::uint64_t none) const {
  std::uint64_t least = none;
  for (const auto& message : messages)
    if (message.state < State::kDelivered) least = std::min(least, message.number);
  return least;
}

queue::SendState Disk::load_send(Life& life, Flaw flaw) {
  queue::SendState state;
  state.incarnation = incarnation;
  state.batch_floor = floor;
  state.batch_next = flaw == Flaw::kReusesBatchNumbers ? floor : batch_end;
  if (!lives.empty()) {
    lives.back().message_end = number_end;
    lives.back().batch_end = batch_end;
  }
  if (lives.size() == queue::kMostLives) lives.erase(lives.begin() + 1);
  lives.push_back({.name = ++life.name});
  state.lives = lives;
  life.began = state.batch_next;
  state.batch_end = batch_end += BatchNumbers::kBlock;
  life.next_number = number_end;
  state.next_message = life.next_number;
  number_end = queue::block_end(life.next_number);
  if (flaw != Flaw::kKeepsVoidedHistory) cut(sent, state.batch_floor, state.batch_next);
  state.history = parts(sent);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].state == State::kQueued)
      state.queued.push_back(entry(static_cast<queue::MessageId>(i + 1)));
  }
  return state;
}

queue::ReceiveState Disk::load_receive() const {
  return {.incarnation = peer_incarnation,
          .life = peer_life,
          .numbers = numbers,
          .batches = batches,
          .history = parts(received)};
}

std::uint64_t Disk::accept(const Mail& mail, Life& life) {
  if (queue::is_aside(life.next_number)) life.next_number = queue::block_end(life.next_number);
  number_end = std::max(number_end, queue::block_end(life.next_number));
  messages.push_back({life.next_number++, State::kQueued, mail});
  return messages.size();
}

void Disk::settle(const queue::SettledBatch& batch, const Life& life, Flaw flaw) {
  for (const auto& cost : batch.messages) {
    auto& message = messages.at(static_cast<std::size_t>(cost.id - 1));
    if (flaw != Flaw::kForgetsSettled && message.state < State::kDelivered) message.state = State::kDelivered;
  }
  if (batch.enters_history) sent.emplace(batch.number, batch.plain);
  raise_floor(batch.floor, life);
}

void Disk::raise_floor(std::uint64_t to, const Life& life) {
  floor = std::max(floor, to);
  if (to > life.began) lives = {lives.back()};
}

void Disk::finish(const std::vector<queue::MessageId>& ids) {
  for (const auto id : ids)
    if (auto& message = messages.at(static_cast<std::size_t>(id - 1)); message.state == State::kQueued)
      message.state = State::kDropped;
}

void Disk::keep(const queue::ReceivedBatch& batch, Flaw flaw) {
  if (batch.incarnation != peer_incarnation) throw queue::StoreError("a batch of another life", 0);
  if (batches.contains(batch.number)) return;
  peer_life = batch.life;
  numbers.raise(batch.settled);
  for (const auto& message : batch.messages) {
    if (numbers.contains(message.origin_number)) continue;
    if (flaw != Flaw::kForgetsMessageNumbers) numbers.add(message.origin_number);
    ++arrived[message.topic];
  }
  batches.add(batch.number);
  if (batch.enters_history) received.emplace(batch.number, batch.plain);
}

std::uint64_t Disk::commit(const Write& write, Life& life, Flaw flaw) {
  std::uint64_t answer = 0;
  std::visit(Overloaded{[&](const Accept& w) { answer = accept(w.mail, life); },
                        [&](const Reserve& w) { answer = batch_end += w.count; },
                        [&](const Settle& w) { settle(w.batch, life, flaw); },
                        [&](const Finish& w) { finish(w.ids); }, [&](const ClearHistory&) { sent.clear(); },
                        [&](const RaiseFloor& w) { raise_floor(w.floor, life); },
                        [&](const Keep& w) { keep(w.batch, flaw); },
                        [&](const Close& w) {
                          cut(received, w.first, w.first + w.count);
                          if (flaw != Flaw::kConfirmsVoidsUnwritten && batches.add(w.first, w.count))
                            peer_life = w.life;
                        },
                        [&](const Reset& w) {
                          peer_incarnation = w.incarnation;
                          peer_life = 0;
                          numbers = queue::NumberSet(1);
                          batches = queue::NumberSet(w.floor);
                          received.clear();
                        },
                        [&](const Renew&) {
                          answer = ++incarnation;
                          sent.clear();
                        }},
             write);
  return answer;
}

std::string words(const Write& write) {
  return std::visit(
      Overloaded{[](const Accept& w) { return fmt::format("accept {}", w.mail.topic); },
                 [](const Reserve& w) { return fmt::format("reserve {} batch numbers", w.count); },
                 [](const Settle& w) {
                   return fmt::format("batch {} is settled: messages {} are delivered", w.batch.number,
                                      w.numbers);
                 },
                 [](const Finish& w) { return fmt::format("messages {} are dropped", w.numbers); },
                 [](const ClearHistory&) { return std::string("forget the history"); },
                 [](const RaiseFloor& w) { return fmt::format("all below batch {} are closed", w.floor); },
                 [](const Keep& w) { return fmt::format("store batch {}", w.batch.number); },
                 [](const Close& w) { return fmt::format("close {} numbers from {} on", w.count, w.first); },
                 [](const Reset&) { return std::string("the peer began anew"); },
                 [](const Renew&) { return std::string("a new incarnation"); }},
      write);
}

}  // namespace tulpar::link::explore
