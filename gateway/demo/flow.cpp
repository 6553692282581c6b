// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/flow.hpp"

#include <algorithm>
#include <utility>

namespace tulpar::demo {
namespace {

// The receive window without scaling; bounds what a lost segment can make the receiver hold back.
constexpr std::size_t kWindow = 65'535;
// Linux TCP_RTO_MAX.
constexpr LinkSpan kLongestBackOff = std::chrono::seconds(120);

}  // namespace

std::size_t Flow::write(ByteView bytes) {
  const std::size_t taken = std::min(bytes.size(), room());
  unsent_.insert(unsent_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken;
}

void Flow::open(LinkTime now) { push(SegmentKind::kSyn, {}, now); }

bool Flow::can_cut_segment() const {
  if (!established_ || window_bytes_ >= kWindow) return false;
  return !unsent_.empty() || (finish_ && !fin_cut_);
}

std::optional<LinkTime> Flow::next_send(LinkTime now) const {
  std::optional<LinkTime> best;
  if (can_cut_segment()) best = now;
  for (const Segment& segment : window_) {
    if (segment.place != Segment::Place::kSender) continue;
    best = best ? std::min(*best, segment.ready) : segment.ready;
  }
  if (best) best = std::max({*best, blocked_until_, now});
  return best;
}

const Segment& Flow::send(LinkTime now) {
  for (Segment& segment : window_) {
    if (segment.place != Segment::Place::kSender || segment.ready > now) continue;
    segment.place = Segment::Place::kLink;
    return segment;
  }
  const std::size_t size = std::min(mss_, unsent_.size());
  if (size == 0) {
    fin_cut_ = true;
    push(SegmentKind::kFin, {}, now);
  } else {
    const auto end = unsent_.begin() + static_cast<std::ptrdiff_t>(size);
    push(SegmentKind::kData, Bytes(unsent_.begin(), end), now);
    unsent_.erase(unsent_.begin(), end);
  }
  window_.back().place = Segment::Place::kLink;
  return window_.back();
}

void Flow::push(SegmentKind kind, Bytes bytes, LinkTime ready) {
  window_bytes_ += bytes.size();
  window_.push_back({.number = next_number_++, .kind = kind, .bytes = std::move(bytes), .ready = ready});
}

Segment* Flow::find(std::uint64_t number) {
  if (window_.empty() || number < window_.front().number) return nullptr;
  const std::uint64_t index = number - window_.front().number;
  return index < window_.size() ? &window_[index] : nullptr;
}

void Flow::lost(std::uint64_t number, LinkTime again) {
  if (Segment* segment = find(number)) {
    segment->place = Segment::Place::kSender;
    segment->ready = again;
    ++segment->losses;
  }
}

Delivery Flow::arrived(std::uint64_t number) {
  Delivery delivery;
  Segment* segment = find(number);
  if (!segment) return delivery;
  tries_ = 0;
  segment->place = Segment::Place::kReceiver;
  delivery.out_of_order = number != window_.front().number;
  while (!window_.empty() && window_.front().place == Segment::Place::kReceiver) {
    const Segment& first = window_.front();
    delivery.opened |= first.kind == SegmentKind::kSyn;
    delivery.finished |= first.kind == SegmentKind::kFin;
    delivery.bytes.insert(delivery.bytes.end(), first.bytes.begin(), first.bytes.end());
    window_bytes_ -= first.bytes.size();
    window_.pop_front();
  }
  finished_ |= delivery.finished;
  return delivery;
}

void Flow::back_off(LinkTime now, LinkSpan first) {
  const LinkSpan wait = tries_ < 20 ? first * (1 << tries_) : kLongestBackOff;
  blocked_until_ = now + std::min(wait, kLongestBackOff);
  ++tries_;
}

void Flow::cut(LinkTime now, LinkSpan first) {
  bool any = false;
  for (Segment& segment : window_) {
    if (segment.place != Segment::Place::kLink) continue;
    segment.place = Segment::Place::kSender;
    segment.ready = now;
    any = true;
  }
  if (any) back_off(now, first);
}

void Flow::discard() {
  unsent_.clear();
  window_.clear();
  window_bytes_ = 0;
  finish_ = fin_cut_ = true;
}

}  // namespace tulpar::demo
