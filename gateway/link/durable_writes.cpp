// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/durable_writes.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace tulpar::link {

void DurableWrites::add(Write write, std::function<void()> done) {
  Pending pending{std::move(write), std::move(done)};
  if (waiting_.empty())
    submit(std::move(pending));
  else
    waiting_.push_back(std::move(pending));
}

void DurableWrites::submit(Pending pending) {
  auto write = pending.write;
  runner_->write(std::move(write), [this, pending = std::move(pending),
                                    weak = std::weak_ptr<int>(alive_)](const Result<void>& result) mutable {
    if (weak.expired()) return;
    if (result) return pending.done();
    spdlog::error("{}: the store refuses, trying again: {}", who_, result.error().message);
    if (waiting_.empty()) retry_at_ = clock_->now() + kRetryAfter;
    waiting_.push_back(std::move(pending));
    wake_();
  });
}

void DurableWrites::step(BootTime now) {
  if (waiting_.empty() || now < retry_at_) return;
  for (auto& pending : std::exchange(waiting_, {})) submit(std::move(pending));
}

std::optional<BootTime> DurableWrites::next_wake() const {
  if (waiting_.empty()) return std::nullopt;
  return retry_at_;
}

}  // namespace tulpar::link
