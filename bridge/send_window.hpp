// SPDX-License-Identifier: Apache-2.0
//
// What is on its way to one broker, and what waits there to be tried again.
//
// Pure: takes `now`, knows no socket and no store; on the loop thread. At most kMost messages are under way,
// from their pick until the store has their end on disk: a machine that dies sends no more than these a second
// time. Some brokers answer a message that they dislike by hanging up. So what was under way when the
// connection broke is tried again one at a time, and what was alone when it broke waits longer each time: it
// delays only itself, and no message is given up for a bad line.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "queue/message.hpp"

namespace tulpar::bridge {

class SendWindow {
 public:
  // CONTRACT.md, [[sink]].
  static constexpr std::size_t kMost = 20;
  // With so many set aside nothing new is picked but emergencies: the broker takes nothing, and the queue is
  // the place to wait in.
  static constexpr std::size_t kMaxAside = 100;
  static constexpr Millis kFirstWait = std::chrono::seconds(1);
  static constexpr Millis kLongestWait = std::chrono::minutes(10);

  // The broker may want fewer than kMost at once: `limit` is its receive maximum.
  void open(std::size_t limit);
  // The connection is gone. What was sent without an answer is set aside; what was not sent yet is given back.
  std::vector<queue::Entry> close(BootTime now);

  // How many new ones may be begun.
  std::size_t room(BootTime now, bool emergency) const;
  // One that was set aside and is due, begun again; nothing while anything is under way, as it travels alone.
  std::optional<queue::Entry> take_due(BootTime now);
  void begin(const queue::Entry& entry);
  // Begun and not sent?
  bool waits(queue::MessageId id) const;
  void sent(queue::MessageId id, int packet);
  // The broker has answered: whose packet it was. It stays under way until finish() or again().
  std::optional<queue::Entry> answered(int packet);
  // Its end is decided without the broker; it stays under way until finish().
  void settle(queue::MessageId id);
  // Its end is on disk.
  void finish(queue::MessageId id) { under_way_.erase(id); }
  // The broker cannot take it just now, or it could not be read: set aside.
  void again(queue::MessageId id, BootTime now);

  // When one that was set aside is due; nothing: none is.
  std::optional<BootTime> next_wake() const;
  std::size_t under_way() const { return under_way_.size(); }
  std::size_t aside() const { return aside_.size(); }

 private:
  struct Try {
    queue::Entry entry;
    unsigned failed = 0;  // times without success
    int packet = 0;       // 0: not sent yet
    bool answered = false;
  };
  struct Aside {
    queue::Entry entry;
    unsigned failed = 0;
    BootTime due{};
  };
  static Millis wait_after(unsigned failed);

  std::size_t limit_ = kMost;
  std::map<queue::MessageId, Try> under_way_;
  std::vector<Aside> aside_;
};

}  // namespace tulpar::bridge
