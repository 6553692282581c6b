// SPDX-License-Identifier: Apache-2.0
//
// Who follows the status, and when it is pushed: as it changes, at most twice a second, never when nobody
// looks.
//
// Pure, takes now; on the loop thread. A feed that is slow keeps the latest status only, and is ended when it
// took none for `stall`.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base.hpp"

namespace tulpar::web {

class LiveFeeds {
 public:
  // An eye sees no more; and each push costs a status and its JSON.
  static constexpr Millis kEvery{500};

  explicit LiveFeeds(Millis stall) : stall_(stall) {}

  // One WebSocket. Its owner sends what it takes, and calls sending() and sent() around that.
  class Feed {
   public:
    // Called when there is something to take, or the feed has ended.
    void on_wake(std::function<void()> wake) { wake_ = std::move(wake); }
    std::shared_ptr<const std::string> take() { return std::exchange(next_, nullptr); }
    bool ended() const { return ended_; }
    void sending(BootTime now) { sending_since_ = now; }
    bool is_sending() const { return sending_since_.has_value(); }
    void sent() { sending_since_.reset(); }

   private:
    friend LiveFeeds;
    std::string session_;
    std::function<void()> wake_ = [] {};
    std::shared_ptr<const std::string> next_;
    std::optional<BootTime> sending_since_;
    bool ended_ = false;
  };

  // Has the latest status soon. It leaves when the last reference goes.
  std::shared_ptr<Feed> add(std::string session);
  bool empty();

  // The status is another now.
  void changed() { changed_ = true; }
  // When step() has something to do; nothing: not before the next call of add() or changed().
  std::optional<BootTime> next_wake();
  // Pushes if it is time. `may_watch(session)`: false ends a feed.
  void step(BootTime now, const std::function<std::string()>& status,
            const std::function<bool(const std::string&)>& may_watch);
  void end_unless(const std::function<bool(const std::string&)>& may_watch);
  void end_all();

 private:
  std::vector<std::shared_ptr<Feed>> feeds();

  Millis stall_;
  std::list<std::weak_ptr<Feed>> feeds_;
  bool changed_ = false;
  std::optional<BootTime> last_;
};

}  // namespace tulpar::web
