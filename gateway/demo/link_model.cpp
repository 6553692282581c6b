// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/link_model.hpp"

#include <algorithm>
#include <utility>

namespace tulpar::demo {
namespace {

// IPv4 20 + TCP 20 + timestamps 12, as Linux sends them; the set-up's segments carry 20 bytes of options.
constexpr std::size_t kHeader = 52;
constexpr std::size_t kSynPacket = 60;
constexpr std::size_t kResetPacket = 40;
// Linux: TCP_DELACK_MIN, TCP_RTO_MIN, TCP_TIMEOUT_INIT.
constexpr LinkSpan kAckDelay = std::chrono::milliseconds(40);
constexpr LinkSpan kTimeoutFloor = std::chrono::milliseconds(200);
constexpr LinkSpan kSynTimeout = std::chrono::seconds(1);
constexpr int kLongestDoubling = 7;

}  // namespace

LinkModel::LinkModel(const LinkSettings& settings, std::uint64_t seed)
    : settings_(settings), pipes_{Pipe(settings.rate_up, seed), Pipe(settings.rate_down, seed + 1)} {}

LinkModel::Connection* LinkModel::alive(ConnectionId id) {
  const auto it = connections_.find(id);
  return it == connections_.end() || it->second.dead ? nullptr : &it->second;
}

ConnectionId LinkModel::open(BootTime now) {
  advance(now);
  const auto [it, added] = connections_.try_emplace(++last_id_, settings_.buffer, settings_.mtu - kHeader);
  flow(it->second, Direction::kUp).open(at_);
  advance(now);
  return it->first;
}

void LinkModel::accept(BootTime now, ConnectionId id) {
  advance(now);
  if (Connection* connection = alive(id)) {
    flow(*connection, Direction::kDown).open(at_);
    flow(*connection, Direction::kDown).establish();
  }
  advance(now);
}

std::size_t LinkModel::room(ConnectionId id, Direction direction) const {
  const auto it = connections_.find(id);
  if (it == connections_.end() || it->second.dead) return 0;
  return it->second.flows[static_cast<std::size_t>(direction)].room();
}

std::size_t LinkModel::write(BootTime now, ConnectionId id, Direction direction, ByteView bytes) {
  advance(now);
  Connection* connection = alive(id);
  const std::size_t taken = connection ? flow(*connection, direction).write(bytes) : 0;
  advance(now);
  return taken;
}

void LinkModel::finish(BootTime now, ConnectionId id, Direction direction) {
  advance(now);
  if (Connection* connection = alive(id)) {
    if (direction == Direction::kUp && !connection->heard && flow(*connection, direction).backing_off()) {
      forget(id);
    } else {
      flow(*connection, direction).finish();
    }
  }
  advance(now);
}

void LinkModel::reset(BootTime now, ConnectionId id, Direction direction) {
  advance(now);
  Connection* connection = alive(id);
  if (connection && !connection->heard) {
    forget(id);
  } else if (connection) {
    for (Flow& each : connection->flows) each.discard();
    connection->acks = {};
    connection->reset = direction;
    connection->dead = true;
  }
  advance(now);
}

// The far side never heard of it, so there is nobody to tell.
void LinkModel::forget(ConnectionId id) {
  connections_.erase(id);
  events_.push_back({LinkEvent::Kind::kReset, id, Direction::kUp, {}});
}

void LinkModel::cut(BootTime now) {
  advance(now);
  if (!up_) return;
  up_ = false;
  for (auto& [id, connection] : connections_) {
    for (Flow& each : connection.flows) each.cut(at_, retransmission_timeout());
  }
  for (Direction direction : {Direction::kUp, Direction::kDown}) {
    Pipe& pipe = this->pipe(direction);
    for (const Packet& packet : pipe.flying) {
      if (packet.kind == Packet::Kind::kReset) connections_.at(packet.connection).reset = direction;
    }
    pipe.meter.lost += pipe.flying.size();
    pipe.flying.clear();
    pipe.free_at = at_;
  }
}

void LinkModel::mend(BootTime now) {
  advance(now);
  up_ = true;
  advance(now);
}

std::optional<BootTime> LinkModel::next_wake(BootTime now) const {
  if (!events_.empty()) return now;
  const auto next = next_event();
  if (!next) return std::nullopt;
  return std::max(now, BootTime(std::chrono::ceil<Millis>(next->time_since_epoch())));
}

std::vector<LinkEvent> LinkModel::step(BootTime now) {
  advance(now);
  return std::exchange(events_, {});
}

std::size_t LinkModel::pending(Direction direction) const {
  std::size_t total = 0;
  for (const auto& [id, connection] : connections_) {
    total += connection.flows[static_cast<std::size_t>(direction)].pending();
  }
  return total;
}

void LinkModel::advance(BootTime now) {
  for (auto next = next_event(); next && *next <= now; next = next_event()) {
    at_ = *next;
    run();
  }
  at_ = std::max(at_, LinkTime(now));
}

std::optional<LinkTime> LinkModel::next_event() const {
  std::optional<LinkTime> best;
  const auto consider = [&](LinkTime time) { best = best ? std::min(*best, time) : time; };
  for (const Pipe& pipe : pipes_) {
    if (!pipe.flying.empty()) consider(std::max(at_, pipe.flying.front().arrives));
  }
  for (const auto& [id, connection] : connections_) {
    for (Direction direction : {Direction::kUp, Direction::kDown}) {
      if (const auto next = next_of(connection, direction)) consider(std::max(*next, pipe(direction).free_at));
    }
  }
  return best;
}

std::optional<LinkTime> LinkModel::next_of(const Connection& connection, Direction direction) const {
  if (connection.dead) {
    return up_ && connection.reset == direction ? std::optional(at_) : std::nullopt;
  }
  auto best = connection.flows[static_cast<std::size_t>(direction)].next_send(at_);
  if (const auto due = connection.acks[static_cast<std::size_t>(direction)].due) {
    best = std::max(at_, best ? std::min(*best, *due) : *due);
  }
  return best;
}

void LinkModel::run() {
  for (Direction direction : {Direction::kUp, Direction::kDown}) {
    Pipe& pipe = this->pipe(direction);
    while (!pipe.flying.empty() && pipe.flying.front().arrives <= at_) {
      const Packet packet = pipe.flying.front();
      pipe.flying.pop_front();
      arrive(direction, packet);
    }
  }
  for (Direction direction : {Direction::kUp, Direction::kDown}) {
    if (up_) {
      transmit(direction);
    } else {
      hold_back(direction);
    }
  }
}

void LinkModel::transmit(Direction direction) {
  Pipe& pipe = this->pipe(direction);
  if (pipe.free_at > at_ || connections_.empty()) return;
  auto it = connections_.upper_bound(pipe.last_served);
  for (std::size_t tried = 0; tried < connections_.size(); ++tried, ++it) {
    if (it == connections_.end()) it = connections_.begin();
    const ConnectionId id = it->first;  // sending the last acknowledgement removes the connection
    if (!send_one(id, it->second, direction)) continue;
    pipe.last_served = id;
    return;
  }
}

bool LinkModel::send_one(ConnectionId id, Connection& connection, Direction direction) {
  const auto next = next_of(connection, direction);
  if (!next || *next > at_) return false;
  if (connection.dead) {
    connection.reset.reset();
    put_on_link(direction, kResetPacket, {id, Packet::Kind::kReset, 0, {}});
    return true;
  }
  Ack& owed = ack(connection, direction);
  const auto segment_at = flow(connection, direction).next_send(at_);
  const bool has_segment = segment_at && *segment_at <= at_;
  if (has_segment && !owed.alone) {
    send_segment(id, connection, direction);
  } else {
    put_on_link(direction, kHeader, {id, Packet::Kind::kAck, 0, {}});
  }
  owed = {};
  close_if_done(id);
  return true;
}

void LinkModel::send_segment(ConnectionId id, Connection& connection, Direction direction) {
  Pipe& pipe = this->pipe(direction);
  Flow& flow = this->flow(connection, direction);
  const Segment& segment = flow.send(at_);
  const std::size_t size = segment.kind == SegmentKind::kSyn ? kSynPacket : kHeader + segment.bytes.size();
  if (segment.losses > 0) pipe.meter.resent += size;
  if (!pipe.random.chance(settings_.loss)) {
    put_on_link(direction, size, {id, Packet::Kind::kSegment, segment.number, {}});
    return;
  }
  pipe.free_at = at_ + time_on_air(direction, size);
  pipe.meter.bytes += size;
  ++pipe.meter.packets;
  ++pipe.meter.lost;
  const LinkSpan wait = segment.kind == SegmentKind::kSyn ? kSynTimeout : round_trip();
  flow.lost(segment.number, pipe.free_at + wait * (1 << std::min(segment.losses, kLongestDoubling)));
}

void LinkModel::put_on_link(Direction direction, std::size_t size, Packet packet) {
  Pipe& pipe = this->pipe(direction);
  pipe.free_at = at_ + time_on_air(direction, size);
  pipe.meter.bytes += size;
  ++pipe.meter.packets;
  const LinkSpan wobble(
      static_cast<std::int64_t>(LinkSpan(settings_.jitter).count() * pipe.random.between(-1, 1)));
  // Later jitter never overtakes: a satellite's bearer delivers in order.
  packet.arrives = std::max(pipe.last_arrival, pipe.free_at + settings_.delay + wobble);
  pipe.last_arrival = packet.arrives;
  pipe.flying.push_back(packet);
}

// What wants to leave while the link is down runs into its timeout; an acknowledgement is simply lost.
void LinkModel::hold_back(Direction direction) {
  for (auto& [id, connection] : connections_) {
    const auto next = next_of(connection, direction);
    if (!next || *next > at_) continue;
    ack(connection, direction) = {};
    const auto segment_at = flow(connection, direction).next_send(at_);
    if (segment_at && *segment_at <= at_) flow(connection, direction).back_off(at_, retransmission_timeout());
  }
  for (auto it = connections_.begin(); it != connections_.end();) close_if_done((it++)->first);
}

void LinkModel::arrive(Direction direction, const Packet& packet) {
  const auto it = connections_.find(packet.connection);
  if (it == connections_.end()) return;
  if (packet.kind == Packet::Kind::kReset) {
    connections_.erase(it);
    events_.push_back({LinkEvent::Kind::kReset, packet.connection, direction, {}});
  } else if (packet.kind == Packet::Kind::kSegment && !it->second.dead) {
    arrive_segment(direction, packet.connection, it->second, packet.number);
  }
}

void LinkModel::arrive_segment(Direction direction, ConnectionId id, Connection& connection,
                               std::uint64_t number) {
  Delivery delivery = flow(connection, direction).arrived(number);
  const Direction back = opposite(direction);
  if (delivery.opened && direction == Direction::kUp) {
    connection.heard = true;
    // The answer is the acknowledgement.
    events_.push_back({LinkEvent::Kind::kOpening, id, direction, {}});
    return;
  }
  if (delivery.opened) {
    flow(connection, Direction::kUp).establish();
    ack(connection, back) = {.segments = 0, .due = at_, .alone = true};
  } else {
    owe_ack(connection, back, delivery.out_of_order || delivery.finished);
  }
  if (!delivery.bytes.empty()) {
    events_.push_back({LinkEvent::Kind::kBytes, id, direction, std::move(delivery.bytes)});
  }
  if (delivery.finished) events_.push_back({LinkEvent::Kind::kFinished, id, direction, {}});
}

void LinkModel::owe_ack(Connection& connection, Direction direction, bool at_once) {
  Ack& owed = ack(connection, direction);
  ++owed.segments;
  if (at_once || owed.segments >= 2) {
    owed.due = at_;
  } else if (!owed.due) {
    owed.due = at_ + kAckDelay;
  }
}

void LinkModel::close_if_done(ConnectionId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end() || it->second.dead) return;
  const Connection& connection = it->second;
  for (const Flow& each : connection.flows) {
    if (!each.finished()) return;
  }
  for (const Ack& each : connection.acks) {
    if (each.due) return;
  }
  connections_.erase(it);
}

LinkSpan LinkModel::time_on_air(Direction direction, std::size_t size) const {
  return LinkSpan(size * 8 * 1'000'000 / pipe(direction).rate);
}

LinkSpan LinkModel::round_trip() const {
  return 2 * LinkSpan(settings_.delay) + time_on_air(Direction::kUp, kHeader) +
         time_on_air(Direction::kDown, kHeader);
}

LinkSpan LinkModel::retransmission_timeout() const { return round_trip() + kTimeoutFloor; }

}  // namespace tulpar::demo
