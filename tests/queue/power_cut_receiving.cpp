// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "tests/queue/power_cut_life.hpp"

namespace tulpar::queue {

Recorder::Job Sinks::load(const std::vector<std::string>& names) {
  return {[=, all = all_](Store& store) {
    *all = 0;
    for (const int bit : store.set_sinks(names)) *all |= std::uint64_t{1} << bit;
  }};
}

Recorder::Job Sinks::any() {
  const auto dice = dice_.below(100), pick = dice_.below(1000), count = 1 + dice_.below(8);
  return {[=](Store& store) {
    const auto edge = store.load_edge();
    for (std::size_t i = 0; i < count && !edge.empty(); ++i) {
      const auto& [entry, owed] = edge[(pick + i * 7) % edge.size()];
      const int bit = std::countr_zero(owed);
      if (dice < 75)
        store.deliver_to_sink(std::span(&entry.id, 1), bit);
      else if (dice < 90)
        store.release(std::span(&entry.id, 1), bit, DropReason::kRefused);
      else
        store.end_at_sink(entry.id, bit, State::kExpired, DropReason::kNone);
    }
  }};
}

Receiving::Receiving(Recorder& recorder, Dice& dice, const Sinks& sinks, PeerId peer, std::int64_t link)
    : recorder_(recorder), dice_(dice), sinks_(sinks), peer_(peer), link_(link) {}

Recorder::Job Receiving::any() {
  const auto dice = dice_.below(100);
  if (incarnation_ == 0 || dice < 2) return reset();
  return dice < 10 ? close() : receive();
}

NewMessage Receiving::message() {
  NewMessage made;
  made.cls = static_cast<ClassId>(dice_.below(kClassNames.size()));
  made.node = fmt::format("far-{}", dice_.below(5));
  made.payload = dice_.bytes(dice_.size());
  made.sinks = sinks_.all();
  made.origin = peer_;
  made.origin_incarnation = incarnation_;
  // Numbers that their sender finished otherwise never come; one that came may come again.
  if (dice_.one_in(8)) next_message_ += dice_.below(3);
  const bool again = next_message_ > settled_ && dice_.one_in(12);
  made.origin_number = again ? settled_ + dice_.below(next_message_ - settled_) : next_message_++;
  made.topic = fmt::format("far/{}/{}/{}", peer_, incarnation_, made.origin_number);
  return made;
}

std::uint64_t Receiving::batch_number() {
  if (!open_.empty() && dice_.one_in(6)) {
    const std::uint64_t filled = open_.back();
    open_.pop_back();
    return filled;
  }
  if (next_batch_ > 3 && dice_.one_in(12)) return next_batch_ - 1 - dice_.below(3);  // again
  if (dice_.one_in(8)) open_.push_back(next_batch_++);
  return next_batch_++;
}

Recorder::Job Receiving::receive() {
  ReceivedBatch batch{.incarnation = incarnation_,
                      .number = batch_number(),
                      .settled = settled_,
                      .enters_history = !dice_.one_in(5),
                      .plain = dice_.bytes(100 + dice_.below(dice_.one_in(10) ? 60'000 : 2000)),
                      .messages = {}};
  for (auto count = 1 + dice_.below(5); count > 0; --count) batch.messages.push_back(message());
  if (dice_.one_in(4)) settled_ += (next_message_ - settled_) / 2;
  auto received = std::make_shared<Store::Received>();
  return {[=, this](Store& store) { *received = store.receive(peer_, link_, batch); },
          [=, this] {
            auto& record = recorder_.record();
            const Moment now = recorder_.group().reported;
            record.known.push_back({{now}, peer_, true, batch.number});
            // Which of them were new is not told, so what was stored is asked for.
            Statement stored(recorder_.store().database(),
                             "SELECT topic, origin_number FROM message WHERE id = ?1");
            for (const auto& one : received->accepted) {
              if (!stored(one.entry.id).step()) continue;
              record.messages.push_back({{now}, one.entry.id, stored.text(0)});
              record.known.push_back({{now}, peer_, false, stored.number(1)});
            }
          }};
}

// A void, over a number that is open or one that is closed.
Recorder::Job Receiving::close() {
  const std::uint64_t first = next_batch_ > 2 ? next_batch_ - 2 : next_batch_;
  next_batch_ = first + 4;
  std::erase_if(open_, [&](std::uint64_t number) { return number >= first; });
  return {[=, this](Store& store) { store.void_batches(peer_, first, 4, 1); },
          [=, this] {
            for (std::uint64_t number = first; number < first + 4; ++number)
              recorder_.record().known.push_back({{recorder_.group().reported}, peer_, true, number});
          }};
}

Recorder::Job Receiving::reset() {
  incarnation_ = 1 + dice_.below(std::uint64_t{1} << 60);
  next_batch_ += 5;
  open_.clear();
  return {[=, this, incarnation = incarnation_, floor = next_batch_](Store& store) {
            store.reset_receive(peer_, incarnation, floor);
          },
          [=, this] {
            for (auto& known : recorder_.record().known)
              if (known.peer == peer_) known.span.until = std::min(known.span.until, recorder_.group().begun);
          }};
}

}  // namespace tulpar::queue
