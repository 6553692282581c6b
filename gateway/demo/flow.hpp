// SPDX-License-Identifier: Apache-2.0
//
// One direction of one TCP connection over an emulated link: cuts what was written into segments, sends a lost
// one again, and hands the bytes over in order. Sender and receiver in one, because the model may know both
// ends.
//
// Thread rule: plain value, owned and driven by LinkModel; time is an argument.
// Simplifications: no congestion window (on a thin link it is not what limits: at 2 % loss and a round trip of
// 0.6 s a Reno sender still reaches 170 kbit/s), a receive window of 64 KiB, and writes that wait for the
// transmitter share a segment.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "config/base.hpp"

namespace tulpar::demo {

// The model's own time: a byte at 10 Mbit/s takes less than a microsecond, a segment about a thousand of them.
using LinkTime = std::chrono::time_point<BootClock, std::chrono::microseconds>;
using LinkSpan = std::chrono::microseconds;

enum class SegmentKind : std::uint8_t { kSyn, kData, kFin };

struct Segment {
  std::uint64_t number = 0;
  SegmentKind kind = SegmentKind::kData;
  Bytes bytes;
  int losses = 0;
  enum class Place : std::uint8_t { kSender, kLink, kReceiver } place = Place::kSender;
  LinkTime ready{};  // at the sender: may leave from then on
};

// What became deliverable when a segment arrived.
struct Delivery {
  bool opened = false;
  Bytes bytes;
  bool finished = false;
  bool out_of_order = false;  // it waits for an earlier one
};

class Flow {
 public:
  // `buffer`: bytes that may wait for the transmitter; `mss`: payload of a full segment. Both above 0.
  Flow(std::size_t buffer, std::size_t mss) : buffer_(buffer), mss_(mss) {}

  // The sender's application.
  std::size_t room() const { return finish_ || unsent_.size() >= buffer_ ? 0 : buffer_ - unsent_.size(); }
  // Takes as much as there is room for and returns how much that was.
  std::size_t write(ByteView bytes);
  void finish() { finish_ = true; }

  // Connection set-up: the first segment, and leave to send what follows it.
  void open(LinkTime now);
  void establish() { established_ = true; }

  // When the next segment may leave, not before `now`; nothing when none waits.
  std::optional<LinkTime> next_send(LinkTime now) const;
  // Takes that segment onto the link. Requires: next_send(now) <= now. Valid until the next call.
  const Segment& send(LinkTime now);
  // The link lost it; it may be sent again at `again`.
  void lost(std::uint64_t number, LinkTime again);
  Delivery arrived(std::uint64_t number);

  // The link is down: nothing leaves for `first` (the retransmission timeout), twice as long on each further
  // try.
  void back_off(LinkTime now, LinkSpan first);
  bool backing_off() const { return tries_ > 0; }
  // The link went down: what was on it is lost at once.
  void cut(LinkTime now, LinkSpan first);

  void discard();
  bool finished() const { return finished_; }
  // Bytes written and not yet handed over.
  std::size_t pending() const { return unsent_.size() + window_bytes_; }

 private:
  bool can_cut_segment() const;
  Segment* find(std::uint64_t number);
  void push(SegmentKind kind, Bytes bytes, LinkTime ready);

  std::size_t buffer_;
  std::size_t mss_;
  Bytes unsent_;
  std::deque<Segment> window_;  // numbered without gaps; the front is the first that the receiver misses
  std::size_t window_bytes_ = 0;
  std::uint64_t next_number_ = 0;
  LinkTime blocked_until_{};
  int tries_ = 0;
  bool established_ = false;
  bool finish_ = false;
  bool fin_cut_ = false;
  bool finished_ = false;
};

}  // namespace tulpar::demo
