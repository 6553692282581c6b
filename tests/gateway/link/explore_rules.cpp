// SPDX-License-Identifier: Apache-2.0
//
// What must hold in every state of explore.hpp's world, in every frame, and at the end; and the words for a
// script.
#include <fmt/format.h>

#include "tests/gateway/link/explore_world.hpp"

namespace tulpar::link::explore {
namespace {

void require(bool holds, const auto& what) {
  if (!holds) throw std::runtime_error(what());
}

std::string words_of(ByteView bytes) {
  std::string words;
  const auto items = decode_frame(bytes);
  for (const auto& item : *items) {
    std::string one;
    if (std::holds_alternative<Greeting>(item)) one = "a greeting";
    if (const auto* fragment = std::get_if<Fragment>(&item)) {
      const std::size_t first = fragment->offset, end = first + fragment->bytes.size();
      one = first == 0 && fragment->end
                ? fmt::format("batch {}", fragment->batch)
                : fmt::format("bytes {} to {} of batch {}", first, end, fragment->batch);
    }
    if (const auto* ack = std::get_if<Ack>(&item)) {
      one = fmt::format("acknowledges all up to {}", ack->cumulative);
      std::uint64_t at = ack->cumulative + 1;
      for (const auto& [gap, count] : ack->runs) {
        one += fmt::format(" and {} to {}", at + gap, at + gap + count - 1);
        at += gap + count;
      }
    }
    if (const auto* closed = std::get_if<Void>(&item))
      one = fmt::format("{} numbers from {} on are void", closed->count, closed->first);
    if (const auto* lost = std::get_if<Lost>(&item))
      one = fmt::format("lost the base of batch {}", lost->batch);
    if (const auto* bye = std::get_if<Bye>(&item)) one = fmt::format("bye: {}", to_string(bye->reason));
    words += (words.empty() ? "" : ", ") + one;
  }
  return words;
}

}  // namespace

void World::check() const {
  for (int side : {0, 1}) {
    const Party& party = *parties_[side];
    party.check();
    check_arrivals(side);
    require(restored_ || party.held().disk.incarnation == (side == 0 ? 100u : 200u),
            [&] { return fmt::format("the {} takes a new incarnation without need", party.options().name); });
  }
}

void World::check_arrivals(int from) const {
  const auto& disk = parties_[from]->held().disk;
  const auto& arrived = parties_[1 - from]->held().disk.arrived;
  const auto there = [&](const std::string& topic) {
    require(arrived.contains(topic) || gone_.contains(topic),
            [&] { return fmt::format("{} counts as delivered, and is not on the other side's disk", topic); });
  };
  for (const auto& message : disk.messages)
    if (message.state == queue::State::kDelivered) there(message.mail.topic);
  parties_[from]->for_each_write([&](const Write& write) {
    if (const auto* settle = std::get_if<Settle>(&write))
      for (const auto& cost : settle->batch.messages)
        there(disk.messages.at(static_cast<std::size_t>(cost.id - 1)).mail.topic);
  });
  for (const auto& mail : arrived)
    require(mail.second == 1 || restored_,
            [&] { return fmt::format("{} is stored {} times", mail.first, mail.second); });
}

void World::check_end() const {
  for (int side : {0, 1}) {
    const auto& arrived = parties_[1 - side]->held().disk.arrived;
    for (const auto& message : parties_[side]->held().disk.messages) {
      const bool delivered = message.state == queue::State::kDelivered;
      require(delivered || scenario_->has(Act::kDrop),
              [&] { return fmt::format("{} is {}", message.mail.topic, queue::to_string(message.state)); });
      require(!delivered || arrived.contains(message.mail.topic) || gone_.contains(message.mail.topic),
              [&] { return message.mail.topic + " never arrived"; });
    }
  }
}

void World::inspect_ack(int side, const Ack& ack) const {
  const auto& closed = parties_[side]->held().disk.batches;
  const auto claimed = numbers_of(ack);
  const auto wrong = [&] {
    return fmt::format("the {} acknowledges what its disk does not have", parties_[side]->options().name);
  };
  require(claimed.low() <= closed.low(), wrong);
  for (const auto& [first, end] : claimed.runs())
    for (auto number = first; number < end; ++number) require(closed.contains(number), wrong);
}

void World::inspect(int side, ByteView frame) const {
  const auto& disk = parties_[side]->held().disk;
  const auto& name = parties_[side]->options().name;
  const auto inspect_settled = [&](std::uint64_t settled) {
    require(settled <= disk.least_unfinished(settled), [&] {
      return fmt::format(
          "the {} says that all below message {} are settled, and {} is not finished on its disk", name,
          settled, disk.least_unfinished(settled));
    });
  };
  const auto items = decode_frame(frame);
  require(items.has_value(), [] { return "a frame of ours is malformed"; });
  for (const auto& item : *items) {
    if (const auto* greeting = std::get_if<Greeting>(&item)) {
      if (greeting->known == disk.peer_incarnation) inspect_ack(side, greeting->closed);
      inspect_settled(greeting->settled);
    }
    if (const auto* ack = std::get_if<Ack>(&item)) inspect_ack(side, *ack);
    if (const auto* fragment = std::get_if<Fragment>(&item); fragment && fragment->offset == 0) {
      Reader in(fragment->bytes);
      in.u8();
      inspect_settled(in.varint());
    }
    require(!std::holds_alternative<Refused>(item), [] { return "a batch is refused"; });
    require(restored_ || !std::holds_alternative<Lost>(item), [] { return "the two histories differ"; });
    if (const auto* bye = std::get_if<Bye>(&item)) {
      const bool expected = restored_ ||
                            (bye->reason == ByeReason::kStoreRefuses && scenario_->has(Act::kRefuse)) ||
                            (bye->reason == ByeReason::kMalformed && scenario_->has(Act::kLose));
      require(expected, [&] { return fmt::format("the {} says bye: {}", name, to_string(bye->reason)); });
    }
  }
}

std::string World::words(Step step) const {
  const Party& party = *parties_[step.side];
  const std::string& name = party.options().name;
  const std::string& other = parties_[1 - step.side]->options().name;
  const auto& held = party.held();
  const auto frame = [&] { return words_of(*wires_[step.side].at(step.frame).bytes); };
  switch (step.act) {
    case Act::kStore:
      return fmt::format("{}'s store commits: {}", name, explore::words(held.jobs.front().write));
    case Act::kRefuse:
      return fmt::format("{}'s store REFUSES: {}", name, explore::words(held.jobs.front().write));
    case Act::kRetry:
      return fmt::format("{} tries again: {}", name, explore::words(held.waiting.front()));
    case Act::kRead:
      return fmt::format("{} reads {} from its disk", name,
                         held.reading.size() == 1 ? "a message" : "messages");
    case Act::kReadFails:
      return fmt::format("{} CANNOT READ its disk", name);
    case Act::kDeliver:
      return fmt::format("{} receives {}", other, frame());
    case Act::kOvertake:
      return fmt::format("{} receives, BEFORE what was sent earlier, {}", other, frame());
    case Act::kRepeat:
      return fmt::format("{} receives, and will AGAIN, {}", other, frame());
    case Act::kLose:
      return fmt::format("LOST on the way to {}: {}", other, frame());
    case Act::kAccept:
      return fmt::format("{} is offered {}", name, party.options().mail[held.offered.front()].topic);
    case Act::kConnect:
      return "the two connect";
    case Act::kSend:
      return fmt::format("{} looks for what to send", name);
    case Act::kSendLate:
      return fmt::format("{} has waited for its disk too long", name);
    case Act::kGiveUp:
      return fmt::format("{} gives the link up after a long silence", name);
    case Act::kBreak:
      return "the link BREAKS";
    case Act::kCrash:
      return fmt::format("{} CRASHES and starts again{}", name,
                         step.frame == 0 ? "" : fmt::format("; {} writes had come to its disk", step.frame));
    case Act::kDrop:
      return fmt::format("{}'s operator DROPS a message", name);
    case Act::kBackUp:
      return fmt::format("{}'s disk is copied", name);
    case Act::kRestore:
      return fmt::format("{} gets the OLD COPY of its disk back and starts", name);
  }
  return {};
}

std::string World::sent() const { return sent_.empty() ? "" : words_of(sent_); }

}  // namespace tulpar::link::explore
