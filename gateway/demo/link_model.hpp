// SPDX-License-Identifier: Apache-2.0
//
// A satellite link as TCP connections see it: rate, delay, jitter, loss, outages, and the provider's meter.
//
// Thread rule: one owner. Pure: bytes and `now` go in, events come out; no socket, no clock. Driven by
// next_wake and step; every other call first works off what was due by its `now`. The same seed and calls give
// the same run. Units: bit/s, bytes at IP level, inside microseconds. Time never goes back; an earlier `now`
// counts as the latest. Simplifications: see flow.hpp; also, a lost segment is sent again when a real sender
// would have learnt of the loss (a round trip after it left, doubling with each further loss), and lost
// acknowledgements cost only their bytes.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "config/base.hpp"
#include "gateway/demo/flow.hpp"
#include "gateway/demo/random.hpp"

namespace tulpar::demo {

// Up: from the mesh's site to the internet; the site opens the connections.
enum class Direction : std::uint8_t { kUp = 0, kDown = 1 };
inline Direction opposite(Direction direction) {
  return direction == Direction::kUp ? Direction::kDown : Direction::kUp;
}

struct LinkSettings {
  std::uint64_t rate_up = 9600;    // bit/s, 300..1e9
  std::uint64_t rate_down = 9600;  // bit/s, 300..1e9
  Millis delay{300};               // one way, 0..10 s
  Millis jitter{0};                // added or taken off, uniform, at most `delay`; never reorders
  double loss = 0;                 // part of the segments, 0..0.5
  std::size_t mtu = 1500;          // IP packet, 576..9000
  std::size_t buffer = 3000;       // bytes that wait in the modem, for each connection and direction, 1..1e6
};

// What the provider's meter saw: IP packets put on the link, the lost ones among them.
struct LinkMeter {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t lost = 0;    // packets
  std::uint64_t resent = 0;  // bytes of packets sent again
};

using ConnectionId = std::uint32_t;

struct LinkEvent {
  enum class Kind : std::uint8_t {
    kOpening,   // a connection attempt reached the far side: answer with accept() or reset()
    kBytes,     // came out at the end of `direction`
    kFinished,  // `direction` ends here: the sender shut down
    kReset,     // the sender of `direction` aborted; the connection is gone
  };
  Kind kind;
  ConnectionId connection;
  Direction direction;
  Bytes bytes;
};

class LinkModel {
 public:
  LinkModel(const LinkSettings& settings, std::uint64_t seed);

  // A connection attempt sets out from the site.
  ConnectionId open(BootTime now);
  // The far side takes it; its answer sets out.
  void accept(BootTime now, ConnectionId id);
  // How much write() would take; 0 for a connection that is gone.
  std::size_t room(ConnectionId id, Direction direction) const;
  std::size_t write(BootTime now, ConnectionId id, Direction direction, ByteView bytes);
  // No more will be written in this direction. An attempt given up while its set-up fails is forgotten, as a
  // kernel forgets it.
  void finish(BootTime now, ConnectionId id, Direction direction);
  // The end that sends in `direction` aborts: what is under way is lost, the other end hears of it.
  void reset(BootTime now, ConnectionId id, Direction direction);

  void cut(BootTime now);
  void mend(BootTime now);
  bool up() const { return up_; }

  // When step() would next have something to do; nothing while the link is idle.
  std::optional<BootTime> next_wake(BootTime now) const;
  // What happened by `now`, in order.
  std::vector<LinkEvent> step(BootTime now);

  const LinkMeter& meter(Direction direction) const { return pipe(direction).meter; }
  // Bytes that were written and have not come out.
  std::size_t pending(Direction direction) const;

 private:
  struct Packet {
    ConnectionId connection;
    enum class Kind : std::uint8_t { kSegment, kAck, kReset } kind;
    std::uint64_t number;
    LinkTime arrives;
  };
  struct Pipe {
    Pipe(std::uint64_t bits, std::uint64_t seed) : rate(bits), random(seed) {}
    std::uint64_t rate;
    Random random;
    LinkTime free_at{};
    LinkTime last_arrival{};
    std::deque<Packet> flying;  // in order of arrival
    ConnectionId last_served = 0;
    LinkMeter meter;
  };
  // Owed by one end to the other; leaves alone when due unless a segment takes it along earlier.
  struct Ack {
    int segments = 0;
    std::optional<LinkTime> due;
    bool alone = false;  // the last step of the set-up goes without data
  };
  struct Connection {
    Connection(std::size_t buffer, std::size_t mss) : flows{Flow(buffer, mss), Flow(buffer, mss)} {}
    std::array<Flow, 2> flows;
    std::array<Ack, 2> acks;
    std::optional<Direction> reset;  // its notice still has to leave
    bool dead = false;               // reset: waits only for that notice to arrive
    bool heard = false;              // the attempt reached the far side
  };

  Pipe& pipe(Direction direction) { return pipes_[static_cast<std::size_t>(direction)]; }
  const Pipe& pipe(Direction direction) const { return pipes_[static_cast<std::size_t>(direction)]; }
  static Flow& flow(Connection& connection, Direction direction) {
    return connection.flows[static_cast<std::size_t>(direction)];
  }
  static Ack& ack(Connection& connection, Direction direction) {
    return connection.acks[static_cast<std::size_t>(direction)];
  }
  Connection* alive(ConnectionId id);

  void advance(BootTime now);
  void run();
  std::optional<LinkTime> next_event() const;
  std::optional<LinkTime> next_of(const Connection& connection, Direction direction) const;

  void transmit(Direction direction);
  bool send_one(ConnectionId id, Connection& connection, Direction direction);
  void send_segment(ConnectionId id, Connection& connection, Direction direction);
  void forget(ConnectionId id);
  void put_on_link(Direction direction, std::size_t size, Packet packet);
  void hold_back(Direction direction);

  void arrive(Direction direction, const Packet& packet);
  void arrive_segment(Direction direction, ConnectionId id, Connection& connection, std::uint64_t number);
  void owe_ack(Connection& connection, Direction direction, bool at_once);
  void close_if_done(ConnectionId id);

  LinkSpan time_on_air(Direction direction, std::size_t size) const;
  LinkSpan round_trip() const;
  LinkSpan retransmission_timeout() const;

  LinkSettings settings_;
  std::array<Pipe, 2> pipes_;
  std::map<ConnectionId, Connection> connections_;
  std::vector<LinkEvent> events_;
  LinkTime at_{};
  ConnectionId last_id_ = 0;
  bool up_ = true;
};

}  // namespace tulpar::demo
