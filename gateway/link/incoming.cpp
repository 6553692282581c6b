// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/incoming.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gateway/link/lives.hpp"

namespace tulpar::link {
namespace {

constexpr Millis kLongestAckWait{150};
constexpr int kAcksTogether = 2;
// Separate pieces of one batch that are kept; a sender that resends what was lost makes a handful.
constexpr std::size_t kMaxPieces = 64;
// Plain text of batches on their way to the disk, and one more. What arrives whole beyond it waits as it came:
// a hundred bytes may expand to a mebibyte. An urgent batch has as much again: it must not wait for a disk.
constexpr std::size_t kMostStoring = 4u << 20;
// When the disk is this slow, an unchanged acknowledgement tells the sender that we live.
constexpr Millis kSignOfLife{3000};

}  // namespace

std::size_t Incoming::Unfinished::have() const {
  return ranges.empty() || ranges.begin()->first != 0 ? 0 : ranges.begin()->second;
}

void Incoming::Unfinished::add(const Fragment& fragment) {
  std::size_t first = fragment.offset, end = first + fragment.bytes.size();
  if (fragment.end) size = end;
  if (bytes.size() < end) bytes.resize(end);
  std::copy(fragment.bytes.begin(), fragment.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(first));
  auto range = ranges.upper_bound(first);
  if (range != ranges.begin() && std::prev(range)->second >= first) --range;
  while (range != ranges.end() && range->first <= end) {
    first = std::min(first, range->first);
    end = std::max(end, range->second);
    range = ranges.erase(range);
  }
  ranges.emplace(first, end);
}

Incoming::Incoming(BatchCodec& codec, IncomingHost& host, queue::ReceiveState state)
    : codec_(&codec),
      host_(&host),
      incarnation_(state.incarnation),
      life_(state.life),
      closed_(std::move(state.batches)),
      numbers_end_(state.numbers.end()) {
  for (auto& part : state.history) history_.add(part.batch, std::move(part.plain));
}

void Incoming::on_disconnected() {
  ack_due_.reset();
  waiting_acks_ = 0;
  lost_.clear();
  refused_batches_.clear();
  refused_ = false;
}

Ack Incoming::ack() const {
  Ack ack{closed_.low() - 1, {}};
  std::uint64_t at = closed_.low();
  for (const auto& [first, end] : closed_.runs()) {
    if (ack.runs.size() == kMaxOpenBatches) break;
    ack.runs.emplace_back(first - at, end - first);
    at = end;
  }
  return ack;
}

void Incoming::describe(Greeting& greeting) const {
  greeting.known = incarnation_;
  greeting.known_life = life_;
  greeting.closed = ack();
  for (const auto& [batch, unfinished] : unfinished_)
    if (const std::size_t have = unfinished.have()) greeting.partial.emplace_back(batch, have);
  for (const auto& [batch, storing] : storing_)
    if (greeting.partial.size() < kMaxOpenBatches) greeting.partial.emplace_back(batch, storing.size);
}

Result<void> Incoming::on_greeting(const Greeting& peer) {
  if (peer.incarnation != incarnation_) {
    incarnation_ = peer.incarnation;
    ++resets_;
    closed_ = queue::NumberSet(peer.floor);
    numbers_end_ = bound_ = 1;
    storing_.clear();
    storing_bytes_ = 0;
    voiding_ = queue::NumberSet();
    drop_unfinished(0, std::numeric_limits<std::uint64_t>::max());
    history_.clear();
    host_->reset(incarnation_, peer.floor);
  } else {
    const std::uint64_t used =
        storing_.empty() ? closed_.end() : std::max(closed_.end(), storing_.rbegin()->first + 1);
    if (used > peer.next)
      return Error{
          fmt::format("the peer says that its next batch is {}, but {} was here already", peer.next, used - 1)};
    if (numbers_end_ > peer.next_message)
      return Error{fmt::format("the peer says that its next message is {}, but {} was here already",
                               peer.next_message, numbers_end_ - 1)};
    if (auto went_on = remembers(peer.lives, life_, used, numbers_end_); !went_on) return went_on;
  }
  life_ = peer.lives.back().name;
  bound_ = std::max(bound_, peer.floor + peer.void_count);
  // Pieces of a number that the peer has not used are of a life that it no longer remembers.
  drop_unfinished(peer.next, std::numeric_limits<std::uint64_t>::max());
  // What the peer calls closed was acknowledged by us once, even if a restored backup no longer knows. What it
  // calls void it has cut from its history, also where we have it.
  void_numbers(peer.void_count ? std::min(closed_.low(), peer.floor) : closed_.low(),
               peer.floor + peer.void_count);
  return {};
}

bool Incoming::void_numbers(std::uint64_t first, std::uint64_t end) {
  if (first >= end) return false;
  drop_unfinished(first, end);
  // The sender builds on a history without them from now on, even if the disk refuses or is slow.
  history_.remove(first, end - first);
  for (auto storing = storing_.lower_bound(first); storing != storing_.end() && storing->first < end; ++storing)
    storing->second.enters_history = false;
  for (auto* answers : {&lost_, &refused_batches_})
    answers->erase(answers->lower_bound(first), answers->lower_bound(end));
  if (voiding_.runs().size() > kMaxBatchAhead) voiding_ = queue::NumberSet();
  if (!voiding_.add(first, end - first)) return false;
  host_->void_batches(first, end - first, life_);
  return true;
}

// The store refuses: the peer keeps what was not stored, and sends it again.
void Incoming::drop_whole() {
  std::erase_if(unfinished_, [this](const auto& item) {
    if (!item.second.whole()) return false;
    unfinished_bytes_ -= item.second.bytes.size();
    return true;
  });
}

void Incoming::drop_unfinished(std::uint64_t first, std::uint64_t end) {
  for (auto it = unfinished_.lower_bound(first); it != unfinished_.end() && it->first < end;) {
    unfinished_bytes_ -= it->second.bytes.size();
    it = unfinished_.erase(it);
  }
}

Result<void> Incoming::on_fragment(const Fragment& fragment, BootTime now) {
  const std::uint64_t number = fragment.batch;
  if (incarnation_ == 0) return {};
  if (known(number)) {
    if (closed_.contains(number)) owe_ack(now, false);
    return {};
  }
  if (number >= std::max(closed_.low(), bound_) + kMaxBatchAhead)
    return Error{fmt::format("batch {} is too far ahead of {}", number, closed_.low() - 1)};
  auto found = unfinished_.find(number);
  if (found == unfinished_.end()) {
    if (unfinished_.size() >= kMaxOpenBatches) return Error{"more than 32 unfinished batches"};
    found = unfinished_.emplace(number, Unfinished{}).first;
  }
  auto& unfinished = found->second;
  const std::size_t before = unfinished.bytes.size();
  const std::size_t end = fragment.offset + fragment.bytes.size();
  if ((unfinished.size && (end > *unfinished.size || (fragment.end && end != *unfinished.size))) ||
      (fragment.end && end < before))
    return Error{fmt::format("batch {} has two ends", number)};
  if (unfinished_bytes_ + (end > before ? end - before : 0) > kMaxUnfinishedBytes)
    return Error{"more than 4 MiB of unfinished batches"};
  unfinished.add(fragment);
  if (unfinished.ranges.size() > kMaxPieces)
    return Error{fmt::format("batch {} comes in more than 64 pieces", number)};
  unfinished_bytes_ += unfinished.bytes.size() - before;
  if (unfinished.whole()) expand_whole(now);
  return {};
}

void Incoming::expand_whole(BootTime now) {
  for (auto next = unfinished_.begin(); next != unfinished_.end();) {
    if (storing_.size() >= kMaxOpenBatches) return;
    const auto whole = next++;
    if (!whole->second.whole()) continue;
    const auto head = decode_head(whole->second.bytes);
    const bool urgent = head && head->first.urgent;
    if (storing_bytes_ >= (urgent ? 2 * kMostStoring : kMostStoring)) continue;
    auto batch = unfinished_.extract(whole);
    unfinished_bytes_ -= batch.mapped().bytes.size();
    expand(batch.key(), std::move(batch.mapped()), now);
  }
}

void Incoming::expand(std::uint64_t number, Unfinished unfinished, BootTime now) {
  unfinished.bytes.resize(*unfinished.size);
  auto head = decode_head(unfinished.bytes);
  auto name = head && head->first.has_base ? base_name(head->first, number) : Result<BaseName>(BaseName{});
  if (!head || !name) return refuse(number, now);
  const auto& [flags, head_size] = *head;
  const Base base = flags.has_base ? history_.base(*name) : empty_base();
  auto decoded = codec_->decode(flags, ByteView(unfinished.bytes).subspan(head_size), base);
  if (decoded.problem == BatchCodec::Problem::kWrongBase) {
    lost_.insert(number);
    ack_due_ = now;
    return;
  }
  auto messages =
      decoded.problem ? Result<std::vector<LinkMessage>>(Error{}) : decode_plain(decoded.plain, flags.settled);
  if (!messages) return refuse(number, now);

  storing_[number] = Storing{.size = unfinished.bytes.size(),
                             .urgent = flags.urgent,
                             .enters_history = flags.enters_history,
                             .highest = messages->back().number,
                             .plain = decoded.plain};
  storing_bytes_ += decoded.plain.size();
  if (!ack_due_) ack_due_ = now + kSignOfLife;
  host_->store({queue::ReceivedBatch{.incarnation = incarnation_,
                                     .life = life_,
                                     .number = number,
                                     .settled = flags.settled,
                                     .enters_history = flags.enters_history,
                                     .plain = std::move(decoded.plain),
                                     .messages = {}},
                std::move(*messages)});
}

void Incoming::refuse(std::uint64_t number, BootTime now) {
  refused_batches_.insert(number);
  ack_due_ = now;
}

Result<void> Incoming::on_void(const Void& closed, BootTime now) {
  // Each number far ahead would be an interval of its own here and on disk.
  if (closed.first + closed.count > std::max(closed_.low(), bound_) + kMaxBatchAhead)
    return Error{fmt::format("the void of {} batches from {} is too far ahead", closed.count, closed.first)};
  if (!void_numbers(closed.first, closed.first + closed.count)) owe_ack(now, false);
  return {};
}

void Incoming::on_stored(std::uint64_t number, bool ok, BootTime now) {
  // What was on its way to the disk when the peer began anew belongs to its former life.
  if (resets_) return;
  auto stored = storing_.extract(number);
  if (stored.empty()) return;
  auto& batch = stored.mapped();
  storing_bytes_ -= batch.plain.size();
  if (!ok) {
    refused_ = true;
    return drop_whole();
  }
  closed_.add(number);
  numbers_end_ = std::max(numbers_end_, batch.highest + 1);
  if (batch.enters_history) history_.add(number, std::move(batch.plain));
  owe_ack(now, batch.urgent);
  expand_whole(now);
}

void Incoming::on_voided(std::uint64_t first, std::uint64_t count, bool ok, BootTime now) {
  if (resets_) return;
  if (!ok) {
    refused_ = true;
    voiding_ = queue::NumberSet();
    return;
  }
  closed_.add(first, count);
  owe_ack(now, false);
}

void Incoming::on_reset(bool ok) {
  refused_ = refused_ || !ok;
  if (--resets_ > 0 || ok) return;
  // Nothing of it is on disk: the next greeting begins again.
  incarnation_ = 0;
  closed_ = queue::NumberSet();
  voiding_ = queue::NumberSet();
  storing_.clear();
  storing_bytes_ = 0;
}

void Incoming::set_round_trip(Millis rtt) { ack_wait_ = std::min(rtt / 4, kLongestAckWait); }

void Incoming::owe_ack(BootTime now, bool at_once) {
  ++waiting_acks_;
  const BootTime due = at_once || waiting_acks_ >= kAcksTogether ? now : now + ack_wait_;
  ack_due_ = ack_due_ ? std::min(*ack_due_, due) : due;
}

void Incoming::fill(FrameBuilder& frame) {
  if (!ack_due() || !frame.put(ack())) return;
  while (!lost_.empty() && frame.put(Lost{*lost_.begin()})) lost_.erase(lost_.begin());
  while (!refused_batches_.empty() && frame.put(Refused{*refused_batches_.begin()}))
    refused_batches_.erase(refused_batches_.begin());
  if (!lost_.empty() || !refused_batches_.empty()) return;
  ack_due_.reset();
  waiting_acks_ = 0;
}

}  // namespace tulpar::link
