// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/explore_world.hpp"

#include <fmt/format.h>

#include "tests/gateway/link/explore_reach.hpp"

namespace tulpar::link::explore {
namespace {

Party::Options options(const Scenario& scenario, int side) {
  return {.name = side == 0 ? "gateway" : "relay",
          .initiator = side == 0,
          .mail = side == 0 ? scenario.gateway : scenario.relay,
          .batch = scenario.batch,
          .frame = scenario.frame,
          .flaw = scenario.flaw};
}

}  // namespace

World::World(const Scenario& scenario) : scenario_(&scenario) {
  for (int side : {0, 1}) {
    auto& party = *(parties_[side] = std::make_unique<Party>(options(scenario, side), codec_));
    for (std::size_t i = 0; i < scenario.early && !party.held().offered.empty(); ++i) {
      party.accept();
      party.store(true);
    }
    if (!scenario.aged) continue;
    party.held().backup = party.held().disk;
    party.crash(0);
  }
  for (const auto step : scenario.first) {
    if (!possible(step)) throw std::invalid_argument("not possible: " + words(step));
    take(step);
  }
  left_ = scenario.most;
}

// ---- what may happen

bool World::possible(Step step) const {
  const Party& party = *parties_[step.side];
  const auto& held = party.held();
  const bool other_online = parties_[1 - step.side]->held().online;
  switch (step.act) {
    case Act::kStore:
    case Act::kRefuse:
      return !held.jobs.empty();
    case Act::kRetry:
      return !held.waiting.empty() && !held.trying;
    case Act::kRead:
    case Act::kReadFails:
      return !held.reading.empty();
    case Act::kDeliver:
    case Act::kLose:
    case Act::kRepeat:
    case Act::kOvertake:
      return step.frame < wires_[step.side].size();
    case Act::kAccept:
      return !held.offered.empty();
    case Act::kConnect:
      // The relay may still hold the session before for up: it is replaced.
      return step.side == 0 && !held.online && !held.renewing && !parties_[1]->held().renewing;
    case Act::kSend:
      return held.online && party.session().up();
    case Act::kSendLate:
      return held.online && party.session().up() && !party.session().wants_to_send(kNow) &&
             party.session().wants_to_send(kNow + std::chrono::seconds(5));
    case Act::kGiveUp:
      // On `tls` nothing is lost but by a break: nobody may have to wait for that.
      return scenario_->has(Act::kLose) &&
             (party.overdue() || (held.online && !other_online && wires_[1 - step.side].empty()));
    case Act::kBreak:
      return step.side == 0 && (held.online || other_online);
    case Act::kDrop:
      return party.scheduler().size() > 0;
    case Act::kCrash:
      return true;
    case Act::kBackUp:
      return step.side == scenario_->restored;
    case Act::kRestore:
      return step.side == scenario_->restored && held.backup;
  }
  return false;
}

std::vector<Step> World::steps() const {
  std::vector<Step> steps;
  const auto add = [&](Act act) {
    for (std::uint8_t side : {0, 1}) {
      const bool of_frame = act == Act::kLose || act == Act::kRepeat || act == Act::kOvertake;
      const std::size_t frames = of_frame             ? wires_[side].size()
                                 : act == Act::kCrash ? parties_[side]->held().jobs.size() + 1
                                                      : 1;
      for (std::size_t frame = act == Act::kOvertake ? 1 : 0; frame < frames; ++frame)
        if (const Step step{act, side, static_cast<std::uint8_t>(frame)}; possible(step)) steps.push_back(step);
    }
  };
  // Giving up is a break, which may come at any time.
  for (auto act = Act{}; act < Act::kGiveUp; act = Act(int(act) + 1)) add(act);
  if (left_ > 0)
    for (const auto fault : scenario_->faults) add(fault);
  return steps;
}

std::optional<Step> World::drain() {
  for (auto act = Act{}; act < kFirstFault; act = Act(int(act) + 1))
    for (std::uint8_t side : {0, 1}) {
      const Step step{act, side};
      if (!possible(step)) continue;
      const std::uint64_t before = key();
      take(step);
      if (key() != before) return step;
    }
  return std::nullopt;
}

bool World::done() const {
  constexpr auto kNone = std::numeric_limits<std::uint64_t>::max();
  for (const auto& party : parties_) {
    if (!party->idle() || !party->held().offered.empty() || !wires_[0].empty() || !wires_[1].empty())
      return false;
    if (party->held().renewing || party->held().disk.least_unfinished(kNone) != kNone) return false;
  }
  return true;
}

// ---- what happens

void World::take(Step step) {
  if (step.act >= kFirstFault) --left_;
  sent_.clear();
  act(step);
  check();
}

void World::act(Step step) {
  const int side = step.side;
  Party& party = *parties_[side];
  changed_[side] = true;
  switch (step.act) {
    case Act::kStore:
      return party.store(true);
    case Act::kRetry:
      return party.retry();
    case Act::kRead:
      return party.read(false);
    case Act::kDeliver:
    case Act::kOvertake:
      return deliver(side, step.frame, false);
    case Act::kRepeat:
      return deliver(side, step.frame, true);
    case Act::kAccept:
      return party.accept();
    case Act::kConnect:
      break_link();
      changed_[1] = true;
      parties_[0]->connect();
      return parties_[1]->connect();
    case Act::kSend:
      return send(side, false);
    case Act::kSendLate:
      return send(side, true);
    case Act::kRefuse:
      return party.store(false);
    case Act::kReadFails:
      return party.read(true);
    case Act::kGiveUp:
    case Act::kBreak:
      return break_link();
    case Act::kCrash:
      break_link();
      return party.crash(step.frame);
    case Act::kLose:
      return void(wires_[side].erase(wires_[side].begin() + step.frame));
    case Act::kDrop:
      return party.drop();
    case Act::kBackUp:
      return void(party.held().backup = party.held().disk);
    case Act::kRestore:
      return restore(side);
  }
}

void World::send(int side, bool late) {
  Party& party = *parties_[side];
  Bytes frame = party.frame(late);
  if (frame.empty()) return;
  inspect(side, frame);
  sent_ = frame;
  Key key;
  key.add(frame);
  if (parties_[1 - side]->held().online)
    wires_[side].push_back({std::make_shared<const Bytes>(std::move(frame)), key.value()});
  if (party.session().bye()) hang_up(side);
}

void World::deliver(int from, std::size_t frame, bool keep) {
  Party& to = *parties_[1 - from];
  changed_[1 - from] = true;
  auto& wire = wires_[from];
  const auto bytes = wire[frame].bytes;
  if (!keep) wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(frame));
  to.receive(*bytes);
  if (to.session().peer_bye()) return break_link();
  if (wire.empty() && !parties_[from]->held().online) hang_up(1 - from);
}

// What it sent is still delivered, then the other side sees the end.
void World::hang_up(int side) {
  changed_[side] = true;
  parties_[side]->disconnect();
  wires_[1 - side].clear();
  if (wires_[side].empty() && parties_[1 - side]->held().online) hang_up(1 - side);
}

void World::break_link() {
  for (int side : {0, 1}) {
    wires_[side].clear();
    if (!parties_[side]->held().online) continue;
    changed_[side] = true;
    parties_[side]->disconnect();
  }
}

void World::restore(int side) {
  break_link();
  restored_ = true;
  Party& party = *parties_[side];
  const auto& before = party.held().disk.arrived;
  const auto& after = party.held().backup->arrived;
  // The other side has been told that these are here.
  std::set<std::string> told;
  const auto& other = parties_[1 - side]->held();
  for (const auto& message : other.disk.messages)
    if (message.state == queue::State::kDelivered) told.insert(message.mail.topic);
  parties_[1 - side]->for_each_write([&](const Write& write) {
    const auto* settle = std::get_if<Settle>(&write);
    if (!settle) return;
    for (const auto& cost : settle->batch.messages)
      told.insert(other.disk.messages.at(static_cast<std::size_t>(cost.id - 1)).mail.topic);
  });
  for (const auto& [topic, times] : before)
    if (told.contains(topic) && !after.contains(topic)) gone_.insert(topic);
  party.restore();
}

// ---- copies

std::uint64_t World::key() {
  for (int side : {0, 1}) {
    if (!changed_[side]) continue;
    saved_[side] = nullptr;
    keys_[side] = parties_[side]->key();
    changed_[side] = false;
  }
  Key key;
  for (int side : {0, 1}) {
    key.add(keys_[side]);
    key.add(wires_[side].size());
    for (const auto& frame : wires_[side]) key.add(frame.key);
  }
  for (const auto& topic : gone_) key.add(as_bytes(topic));
  key.add(restored_);
  return key.value();
}

World::Saved World::save() {
  key();
  for (int side : {0, 1})
    if (!saved_[side]) saved_[side] = parties_[side]->save();
  return {.parties = {saved_[0], saved_[1]},
          .keys = {keys_[0], keys_[1]},
          .wires = {wires_[0], wires_[1]},
          .gone = gone_,
          .restored = restored_,
          .left = left_};
}

void World::load(const Saved& saved) {
  for (int side : {0, 1}) {
    wires_[side] = saved.wires[side];
    if (!changed_[side] && saved_[side] == saved.parties[side]) continue;
    parties_[side]->load(*saved.parties[side]);
    saved_[side] = saved.parties[side];
    keys_[side] = saved.keys[side];
    changed_[side] = false;
  }
  gone_ = saved.gone;
  restored_ = saved.restored;
  left_ = saved.left;
}

}  // namespace tulpar::link::explore
