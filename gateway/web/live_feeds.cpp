// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/live_feeds.hpp"

#include <algorithm>

namespace tulpar::web {

std::shared_ptr<LiveFeeds::Feed> LiveFeeds::add(std::string session) {
  auto feed = std::make_shared<Feed>();
  feed->session_ = std::move(session);
  feeds_.push_back(feed);
  changed_ = true;
  return feed;
}

// The living ones; waking one may end it.
std::vector<std::shared_ptr<LiveFeeds::Feed>> LiveFeeds::feeds() {
  std::vector<std::shared_ptr<Feed>> living;
  std::erase_if(feeds_, [&](const std::weak_ptr<Feed>& weak) {
    auto feed = weak.lock();
    if (!feed || feed->ended_) return true;
    living.push_back(std::move(feed));
    return false;
  });
  return living;
}

bool LiveFeeds::empty() { return feeds().empty(); }

std::optional<BootTime> LiveFeeds::next_wake() {
  if (!changed_ || empty()) return std::nullopt;
  return last_ ? *last_ + kEvery : BootTime{};
}

void LiveFeeds::step(BootTime now, const std::function<std::string()>& status,
                     const std::function<bool(const std::string&)>& may_watch) {
  const auto due = next_wake();
  if (!due || *due > now) return;
  changed_ = false;
  last_ = now;
  std::shared_ptr<const std::string> text;
  for (const auto& feed : feeds()) {
    const bool stalled = feed->sending_since_ && now - *feed->sending_since_ >= stall_;
    feed->ended_ = stalled || !may_watch(feed->session_);
    if (!feed->ended_) {
      if (!text) text = std::make_shared<const std::string>(status());
      feed->next_ = text;
    }
    feed->wake_();
  }
}

void LiveFeeds::end_unless(const std::function<bool(const std::string&)>& may_watch) {
  for (const auto& feed : feeds()) {
    if (may_watch(feed->session_)) continue;
    feed->ended_ = true;
    feed->wake_();
  }
}

void LiveFeeds::end_all() {
  end_unless([](const std::string&) { return false; });
}

}  // namespace tulpar::web
