// SPDX-License-Identifier: Apache-2.0
//
// A LinkModel on a virtual clock, with applications at both ends that always write what they have.
#pragma once

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "gateway/demo/link_model.hpp"

namespace tulpar::demo {

inline constexpr std::size_t kMss = 1448;

inline Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

// Runs a model on a virtual clock by its own wake-ups, accepts every connection, keeps writing what there is to
// write.
struct Lab {
  explicit Lab(LinkSettings settings, std::uint64_t seed = 7) : model(settings, seed) {}

  struct Stream {
    Bytes to_write;
    std::size_t written = 0;
    Bytes got;
    BootTime first{}, last{};
  };

  ConnectionId open() { return model.open(now); }

  Stream& stream(ConnectionId id, Direction direction) { return streams[{id, direction}]; }

  void offer() {
    for (auto& [key, s] : streams) {
      const ByteView rest = ByteView(s.to_write).subspan(s.written);
      if (!rest.empty()) s.written += model.write(now, key.first, key.second, rest);
    }
  }

  void handle(const LinkEvent& event) {
    events.push_back(event.kind);
    if (event.kind == LinkEvent::Kind::kOpening) {
      opened = now;
      model.accept(now, event.connection);
    }
    if (event.kind == LinkEvent::Kind::kBytes) {
      Stream& s = stream(event.connection, event.direction);
      if (s.got.empty()) s.first = now;
      s.last = now;
      s.got.insert(s.got.end(), event.bytes.begin(), event.bytes.end());
    }
  }

  void run(Millis span) {
    const BootTime end = now + span;
    for (;;) {
      offer();
      for (const LinkEvent& event : model.step(now)) handle(event);
      ++steps;
      const auto wake = model.next_wake(now);
      if (!wake || *wake > end) break;
      now = std::max(*wake, now);
    }
    now = end;
  }

  int count(LinkEvent::Kind kind) const {
    return static_cast<int>(std::count(events.begin(), events.end(), kind));
  }
  const LinkMeter& up() const { return model.meter(Direction::kUp); }
  const LinkMeter& down() const { return model.meter(Direction::kDown); }

  LinkModel model;
  BootTime now{Millis(5000)};
  BootTime opened{};
  int steps = 0;
  std::map<std::pair<ConnectionId, Direction>, Stream> streams;
  std::vector<LinkEvent::Kind> events;
};

inline LinkSettings fast_link() {
  return {.rate_up = 10'000'000, .rate_down = 10'000'000, .delay = Millis(20), .buffer = 1'000'000};
}

}  // namespace tulpar::demo
