// SPDX-License-Identifier: Apache-2.0
//
// Writes that have to come to pass: each is repeated until the store has committed it.
//
// On the loop thread; no timer of its own. After a failure what is added later waits, and one of the waiting is
// tried a second, each in its turn, until one is committed and all follow: a full disk collects one queue and
// not a storm of attempts. So a write may be committed before one that was added earlier: each has to be right
// by itself.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "queue/store_runner.hpp"

namespace tulpar::link {

class DurableWrites {
 public:
  static constexpr Millis kRetryAfter = std::chrono::seconds(1);

  // `who` begins the lines of the log; `wake`: next_wake() has changed. `runner` and `clock` must outlive this.
  DurableWrites(queue::StoreRunner& runner, const Clock& clock, std::string who, std::function<void()> wake)
      : runner_(&runner), clock_(&clock), who_(std::move(who)), wake_(std::move(wake)) {}

  using Write = std::function<void(queue::Store&)>;
  // `done` is called once it is committed, and not after this object's end.
  void add(Write write, std::function<void()> done);
  void step(BootTime now);
  // The store refuses: what is added now waits.
  bool stuck() const { return trying_ || !waiting_.empty(); }
  std::optional<BootTime> next_wake() const;

 private:
  struct Pending {
    Write write;
    std::function<void()> done;
  };
  void submit(Pending pending);
  void on_failed(Pending pending, const std::string& why);

  queue::StoreRunner* runner_;
  const Clock* clock_;
  std::string who_;
  std::function<void()> wake_;
  std::deque<Pending> waiting_;  // not with the runner
  bool trying_ = false;          // one of those that waited is with it
  BootTime retry_at_{};          // meaningful while some wait
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar::link
