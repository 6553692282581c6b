// SPDX-License-Identifier: Apache-2.0
//
// Writes that have to come to pass: each is repeated until the store has committed it.
//
// On the loop thread; no timer of its own. After a failure what is added later waits behind it, so that a full
// disk collects one queue and not a storm of attempts. Writes that were under way when one failed may be
// committed before it: each has to be right by itself.
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
  std::optional<BootTime> next_wake() const;

 private:
  struct Pending {
    Write write;
    std::function<void()> done;
  };
  void submit(Pending pending);

  queue::StoreRunner* runner_;
  const Clock* clock_;
  std::string who_;
  std::function<void()> wake_;
  std::deque<Pending> waiting_;  // in order; not with the runner
  BootTime retry_at_{};          // meaningful while some wait
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar::link
