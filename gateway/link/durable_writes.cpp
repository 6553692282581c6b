// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/durable_writes.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace tulpar::link {

void DurableWrites::add(Write write, std::function<void()> done) {
  Pending pending{std::move(write), std::move(done)};
  if (!stuck())
    submit(std::move(pending));
  else
    waiting_.push_back(std::move(pending));
}

void DurableWrites::submit(Pending pending) {
  auto write = pending.write;
  runner_->write(std::move(write), [this, pending = std::move(pending),
                                    weak = std::weak_ptr<int>(alive_)](const Result<void>& result) mutable {
    if (weak.expired()) return;
    if (!result) return on_failed(std::move(pending), result.error().message);
    if (std::exchange(trying_, false)) {
      spdlog::info("{}: the store works again", who_);
      for (auto& next : std::exchange(waiting_, {})) submit(std::move(next));
    }
    pending.done();
  });
}

void DurableWrites::on_failed(Pending pending, const std::string& why) {
  if (waiting_.empty() && !trying_) spdlog::error("{}: the store refuses, trying again: {}", who_, why);
  trying_ = false;
  retry_at_ = clock_->now() + kRetryAfter;
  waiting_.push_back(std::move(pending));
  wake_();
}

void DurableWrites::step(BootTime now) {
  if (waiting_.empty() || trying_ || now < retry_at_) return;
  trying_ = true;
  auto next = std::move(waiting_.front());
  waiting_.pop_front();
  submit(std::move(next));
}

std::optional<BootTime> DurableWrites::next_wake() const {
  if (waiting_.empty() || trying_) return std::nullopt;
  return retry_at_;
}

}  // namespace tulpar::link
