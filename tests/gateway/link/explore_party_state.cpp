// SPDX-License-Identifier: Apache-2.0
//
// A side of explore.hpp as a value: copied, brought back, named by a key, and checked.
#include <fmt/format.h>

#include "tests/gateway/link/explore_party.hpp"
#include "tests/gateway/link/explore_reach.hpp"

namespace tulpar::link::explore {
namespace {

void add(Key& key, const std::vector<std::uint64_t>& numbers) {
  key.add(numbers.size());
  for (const auto number : numbers) key.add(number);
}
void add(Key& key, const std::vector<queue::MessageId>& ids) {
  key.add(ids.size());
  for (const auto id : ids) key.add(static_cast<std::uint64_t>(id));
}
void add(Key& key, const Disk::History& history) {
  key.add(history.size());
  for (const auto& [batch, plain] : history) {
    key.add(batch);
    key.add(plain);
  }
}

struct AddWrite {
  Key& key;
  void operator()(const Accept& w) const { key.add(as_bytes(w.mail.topic)); }
  void operator()(const Reserve& w) const { key.add(w.count); }
  void operator()(const Settle& w) const {
    key.add(w.batch.number);
    key.add(w.batch.floor);
    key.add(w.batch.enters_history);
    key.add(w.batch.plain);
    add(key, w.numbers);
  }
  void operator()(const Finish& w) const { add(key, w.ids); }
  void operator()(const ClearHistory&) const {}
  void operator()(const RaiseFloor& w) const { key.add(w.floor); }
  void operator()(const Keep& w) const {
    key.add(w.batch.incarnation);
    key.add(w.batch.life);
    key.add(w.batch.number);
    key.add(w.batch.settled);
    key.add(w.batch.enters_history);
    key.add(w.batch.plain);
  }
  void operator()(const Close& w) const {
    key.add(w.first);
    key.add(w.count);
    key.add(w.life);
  }
  void operator()(const Reset& w) const {
    key.add(w.incarnation);
    key.add(w.floor);
  }
  void operator()(const Renew&) const {}
};

void add(Key& key, const Write& write) {
  key.add(write.index());
  std::visit(AddWrite{key}, write);
}

void add(Key& key, const Disk& disk) {
  for (const auto value :
       {disk.incarnation, disk.floor, disk.batch_end, disk.number_end, disk.peer_incarnation})
    key.add(value);
  key.add(disk.lives.size());
  for (const auto& life : disk.lives) {
    key.add(life.name);
    key.add(life.message_end);
    key.add(life.batch_end);
  }
  key.add(disk.peer_life);
  add(key, disk.sent);
  add(key, disk.received);
  for (const auto& message : disk.messages) {
    key.add(message.number);
    key.add(static_cast<std::uint64_t>(message.state));
    key.add(as_bytes(message.mail.topic));
  }
  add(key, disk.numbers);
  add(key, disk.batches);
  for (const auto& [topic, times] : disk.arrived) {
    key.add(as_bytes(topic));
    key.add(static_cast<std::uint64_t>(times));
  }
}

void add(Key& key, const Party::Held& held) {
  add(key, held.disk);
  key.add(held.life.name);
  key.add(held.life.next_number);
  key.add(held.jobs.size());
  for (const auto& job : held.jobs) {
    add(key, job.write);
    key.add(job.heard);
  }
  key.add(held.waiting.size());
  for (const auto& write : held.waiting) add(key, write);
  for (const auto& entry : held.reading) key.add(entry.number);
  key.add(held.offered.size());
  for (const auto mail : held.offered) key.add(mail);
  key.add(held.highest_batch);
  key.add(held.trying);
  key.add(held.online);
  key.add(held.renewing);
  key.add(held.backup.has_value());
  if (held.backup) add(key, *held.backup);
}

}  // namespace

struct Party::Saved {
  Held held;
  std::vector<queue::Entry> queued;
  Outgoing outgoing;
  Incoming incoming;
  Session session;
};

std::shared_ptr<const Party::Saved> Party::save() const {
  return std::make_shared<Saved>(Saved{held_, queued(*scheduler_), *outgoing_, *incoming_, *session_});
}

// The copies keep pointing to this party's objects, which stay where they are.
void Party::load(const Saved& saved) {
  held_ = saved.held;
  rebuild_scheduler(saved.queued);
  *outgoing_ = saved.outgoing;
  *incoming_ = saved.incoming;
  *session_ = saved.session;
}

std::uint64_t Party::key() const {
  Key key;
  add(key, held_);
  explore::add(key, *scheduler_);
  explore::add(key, *outgoing_);
  explore::add(key, *incoming_, kNow);
  explore::add(key, *session_);
  return key.value();
}

void Party::for_each_write(const std::function<void(const Write&)>& visit) const {
  for (const auto& job : held_.jobs) visit(job.write);
  for (const auto& write : held_.waiting) visit(write);
}

void Party::check() const {
  std::map<std::uint64_t, int> places;
  for (const auto& entry : queued(*scheduler_)) ++places[entry.number];
  for (const auto& entry : under_way(*outgoing_)) ++places[entry.number];
  for_each_write([&](const Write& write) {
    if (const auto* settle = std::get_if<Settle>(&write))
      for (const auto number : settle->numbers) ++places[number];
    if (const auto* finish = std::get_if<Finish>(&write))
      for (const auto number : finish->numbers) ++places[number];
  });
  for (const auto& message : held_.disk.messages) {
    const bool finished = message.state >= queue::State::kDelivered;
    if (places[message.number] != (finished ? 0 : 1))
      throw std::runtime_error(fmt::format("{} is {}, and in {} places", message.mail.topic,
                                           queue::to_string(message.state), places[message.number]));
  }
}

}  // namespace tulpar::link::explore
