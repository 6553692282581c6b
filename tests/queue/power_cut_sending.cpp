// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tests/queue/power_cut_life.hpp"

namespace tulpar::queue {
namespace {

const std::string kSource = "mesh";

}  // namespace

Sending::Sending(Recorder& recorder, Dice& dice, PeerId peer, std::int64_t link)
    : recorder_(recorder), dice_(dice), peer_(peer), link_(link) {}

Recorder::Job Sending::load() {
  auto state = std::make_shared<SendState>();
  return {[=, peer = peer_](Store& store) { *state = store.load_send(peer); },
          [=, this] {
            queued_.clear();
            flying_.clear();
            for (const auto& entry : state->queued) queued_.push_back(entry.id);
            next_batch_ = state->batch_next;
            batch_end_ = state->batch_end;
            auto& given = recorder_.record().given;
            given.push_back({recorder_.group().reported, peer_, true, batch_end_});
            // Of this block numbers may be used before a message is on disk (message_numbers.hpp).
            given.push_back({recorder_.group().reported, peer_, false, block_end(state->next_message)});
          }};
}

Recorder::Job Sending::any() {
  const auto dice = dice_.below(100);
  if (dice < 35) return accept(1 + dice_.below(4));
  if (dice < 58) return begin();
  if (dice < 78) return settle_oldest();
  if (dice < 82) return give_up();
  if (dice < 88) return finish();
  if (dice < 92) return reclassify();
  if (dice < 94) return raise_floor();
  if (dice < 95) return renew();
  if (dice < 97) return note();
  return reserve();
}

NewMessage Sending::message(std::size_t bytes) {
  NewMessage made;
  made.peer = peer_;
  made.cls = static_cast<ClassId>(dice_.below(kClassNames.size()));
  made.node = fmt::format("node-{}", dice_.below(7));
  made.topic = fmt::format("mesh/{}/{}", peer_, ++made_);
  made.payload = dice_.bytes(bytes ? bytes : dice_.size());
  made.kind = made.cls == 3 ? static_cast<std::uint32_t>(dice_.below(3)) : 0;
  if (dice_.one_in(3)) made.packet = 1 + dice_.below(200);
  if (dice_.one_in(25)) made.drop = DropReason::kPolicy;
  // Nobody takes it here: it ends at once.
  if (dice_.one_in(40)) made.peer = kEdge;
  return made;
}

// As the ingest does it: what a broker delivered, with the marks of its redeliveries.
Recorder::Job Sending::accept(std::size_t messages, std::size_t bytes) {
  std::vector<NewMessage> made;
  std::vector<BrokerMark> marks;
  for (; messages > 0; --messages) {
    made.push_back(message(bytes));
    marks.push_back({static_cast<std::uint16_t>(1 + dice_.below(65'535)), dice_.below(1u << 30)});
  }
  auto accepted = std::make_shared<std::vector<Accepted>>();
  return {[=, this](Store& store) {
            store.remember(kSource, marks);
            *accepted = store.accept(made);
            for (const auto& one : *accepted)
              if (one.entry.number)
                recorder_.record().given.push_back({recorder_.now(), peer_, false, one.entry.number + 1});
          },
          [=, this] {
            for (std::size_t i = 0; i < made.size(); ++i) {
              const MessageId id = (*accepted)[i].entry.id;
              if (id == 0) continue;
              queued_.push_back(id);
              recorder_.record().messages.push_back({{recorder_.group().reported}, id, made[i].topic});
            }
          }};
}

std::vector<MessageId> Sending::take(std::size_t count) {
  std::vector<MessageId> ids;
  for (; count > 0 && !queued_.empty(); --count) {
    const auto some = queued_.begin() + static_cast<std::ptrdiff_t>(dice_.below(queued_.size()));
    ids.push_back(*some);
    queued_.erase(some);
  }
  return ids;
}

Recorder::Job Sending::reserve() {
  auto end = std::make_shared<std::uint64_t>();
  return {[=, this](Store& store) { *end = store.reserve_batches(peer_, 64); },
          [=, this] {
            batch_end_ = *end;
            recorder_.record().given.push_back({recorder_.group().reported, peer_, true, *end});
          }};
}

Recorder::Job Sending::begin() {
  if (next_batch_ == batch_end_) return reserve();
  const auto ids = take(1 + dice_.below(6));
  const std::uint64_t batch = next_batch_++;
  return {[=](Store& store) { store.mark_in_flight(ids, batch); }, [=, this] { flying_[batch] = ids; }};
}

Recorder::Job Sending::settle_oldest() {
  if (flying_.empty()) return begin();
  const auto [number, ids] = *flying_.begin();
  flying_.erase(flying_.begin());
  SettledBatch batch{.number = number,
                     .floor = floor(),
                     .enters_history = !dice_.one_in(4),
                     .plain = dice_.bytes(100 + dice_.below(dice_.one_in(10) ? 40'000 : 2000)),
                     .messages = {}};
  for (const auto id : ids) batch.messages.push_back({id, static_cast<std::int64_t>(20 + dice_.below(400))});
  const LinkBytes wire{.wire_up = static_cast<std::int64_t>(dice_.below(3000)),
                       .wire_down = static_cast<std::int64_t>(dice_.below(200))};
  return {[=, this](Store& store) {
    store.settle(peer_, link_, batch);
    store.book(link_, wire);
  }};
}

Recorder::Job Sending::settle(std::size_t messages) {
  if (next_batch_ == batch_end_) return reserve();
  SettledBatch batch{.number = next_batch_++, .floor = 1, .plain = {}, .messages = {}};
  for (const auto id : take(messages)) batch.messages.push_back({id, 100});
  return {[=, this](Store& store) { store.settle(peer_, link_, batch); }};
}

Recorder::Job Sending::give_up() {
  if (flying_.empty()) return begin();
  const auto ids = std::prev(flying_.end())->second;
  flying_.erase(std::prev(flying_.end()));
  return {[=](Store& store) { store.mark_queued(ids); },
          [=, this] { queued_.insert(queued_.end(), ids.begin(), ids.end()); }};
}

Recorder::Job Sending::finish() {
  constexpr State kEnds[] = {State::kExpired, State::kConflated, State::kDropped};
  std::vector<Finished> ends;
  for (const auto id : take(1 + dice_.below(3))) {
    const State state = kEnds[dice_.below(3)];
    ends.push_back({id, state, state == State::kDropped ? DropReason::kStoreFull : DropReason::kNone});
  }
  return {[=](Store& store) { store.finish(ends); }};
}

Recorder::Job Sending::reclassify() {
  const auto ids = take(1);
  const auto cls = static_cast<ClassId>(dice_.below(kClassNames.size()));
  return {[=](Store& store) {
            for (const auto id : ids) store.reclassify(id, cls);
          },
          [=, this] { queued_.insert(queued_.end(), ids.begin(), ids.end()); }};
}

Recorder::Job Sending::raise_floor() {
  return {[=, this, floor = floor()](Store& store) { store.raise_floor(peer_, floor); }};
}

// The peer said that one of the two was rolled back: everything open is given up.
Recorder::Job Sending::renew() {
  std::vector<MessageId> ids;
  for (const auto& [batch, part] : flying_) ids.insert(ids.end(), part.begin(), part.end());
  flying_.clear();
  return {[=, this, history_only = dice_.one_in(2)](Store& store) {
            store.mark_queued(ids);
            history_only ? store.clear_history(peer_, 0) : void(store.renew_incarnation(peer_));
          },
          [=, this] { queued_.insert(queued_.end(), ids.begin(), ids.end()); }};
}

Recorder::Job Sending::note() {
  const auto session = 1 + dice_.below(1u << 30);
  const auto up = static_cast<std::int64_t>(dice_.below(100'000));
  return {[=, this](Store& store) {
    store.book(link_, {.wire_up = 1000, .wire_down = 300, .session_opens = 1});
    store.note_session(link_, session, up, up / 3);
    store.date_usage();
  }};
}

}  // namespace tulpar::queue
