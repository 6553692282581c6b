// SPDX-License-Identifier: Apache-2.0
#include "bridge/send_window.hpp"

#include <algorithm>

namespace tulpar::bridge {

void SendWindow::open(std::size_t limit) { limit_ = std::clamp(limit, std::size_t{1}, kMost); }

std::vector<queue::Entry> SendWindow::close(BootTime now) {
  std::vector<queue::Entry> unsent;
  std::erase_if(under_way_, [&](const auto& item) {
    const Try& tried = item.second;
    if (tried.answered) return false;
    if (tried.packet == 0 && tried.failed == 0) {
      unsent.push_back(tried.entry);
    } else {
      const unsigned failed = tried.failed + (tried.packet ? 1 : 0);
      // The first time anyone may have been the cause: at once, but alone.
      const Millis wait = failed > 1 ? wait_after(failed - 1) : Millis{0};
      aside_.push_back({tried.entry, failed, now + wait});
    }
    return true;
  });
  return unsent;
}

std::size_t SendWindow::room(BootTime now, bool emergency) const {
  if (under_way_.size() >= limit_) return 0;
  const std::size_t free = limit_ - under_way_.size();
  // An SOS waits for no suspect.
  if (emergency) return free;
  const auto alone = [](const auto& item) { return item.second.failed > 0 && !item.second.answered; };
  if (std::any_of(under_way_.begin(), under_way_.end(), alone)) return 0;
  const auto wake = next_wake();
  return aside_.size() >= kMaxAside || (wake && *wake <= now) ? 0 : free;
}

std::optional<queue::Entry> SendWindow::take_due(BootTime now) {
  if (!under_way_.empty()) return std::nullopt;
  const auto before = [now](const Aside& a, const Aside& b) {
    if ((a.due <= now) != (b.due <= now)) return a.due <= now;
    return std::pair(a.entry.cls, a.entry.id) < std::pair(b.entry.cls, b.entry.id);
  };
  const auto first = std::min_element(aside_.begin(), aside_.end(), before);
  if (first == aside_.end() || first->due > now) return std::nullopt;
  const Aside taken = *first;
  aside_.erase(first);
  under_way_[taken.entry.id] = {.entry = taken.entry, .failed = taken.failed};
  return taken.entry;
}

void SendWindow::begin(const queue::Entry& entry) { under_way_[entry.id] = {.entry = entry}; }

bool SendWindow::waits(queue::MessageId id) const {
  const auto found = under_way_.find(id);
  return found != under_way_.end() && found->second.packet == 0 && !found->second.answered;
}

void SendWindow::sent(queue::MessageId id, int packet) {
  if (const auto found = under_way_.find(id); found != under_way_.end()) found->second.packet = packet;
}

std::optional<queue::Entry> SendWindow::answered(int packet) {
  if (packet == 0) return std::nullopt;
  const auto found = std::find_if(under_way_.begin(), under_way_.end(), [packet](const auto& item) {
    return item.second.packet == packet && !item.second.answered;
  });
  if (found == under_way_.end()) return std::nullopt;
  found->second.answered = true;
  return found->second.entry;
}

void SendWindow::settle(queue::MessageId id) {
  if (const auto found = under_way_.find(id); found != under_way_.end()) found->second.answered = true;
}

void SendWindow::again(queue::MessageId id, BootTime now) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  const unsigned failed = found->second.failed + 1;
  aside_.push_back({found->second.entry, failed, now + wait_after(failed)});
  under_way_.erase(found);
}

std::optional<BootTime> SendWindow::next_wake() const {
  const auto first = std::min_element(aside_.begin(), aside_.end(),
                                      [](const Aside& a, const Aside& b) { return a.due < b.due; });
  return first == aside_.end() ? std::nullopt : std::optional(first->due);
}

Millis SendWindow::wait_after(unsigned failed) {
  Millis wait = kFirstWait;
  for (; failed > 1 && wait < kLongestWait; --failed) wait *= 2;
  return std::min(wait, kLongestWait);
}

}  // namespace tulpar::bridge
