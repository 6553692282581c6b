// SPDX-License-Identifier: Apache-2.0
#include "config/types.hpp"

#include "config/address.hpp"

namespace tulpar::config {

using namespace std::chrono_literals;

std::vector<MessageClass> default_classes() {
  constexpr Millis kDay = 24h;
  return {
      {.name = "emergency", .weight = 160, .over_quota = OverQuota::kAlways},
      {.name = "message", .weight = 80, .hold = 1s, .ttl = 14 * kDay, .over_quota = OverQuota::kToTheEnd},
      {.name = "normal", .weight = 40, .hold = 10s, .ttl = kDay, .over_quota = OverQuota::kPaced},
      {.name = "telemetry",
       .weight = 20,
       .hold = 60s,
       .ttl = 6h,
       .latest_only = true,
       .over_quota = OverQuota::kSlowedFirst},
      {.name = "bulk",
       .weight = 10,
       .minimum_share = 0,
       .hold = 10min,
       .ttl = kDay,
       .over_quota = OverQuota::kLeftOver},
  };
}

Audience audience_of(const Sink& sink) {
  return sink.audience.value_or(is_private(sink.host) ? Audience::kPrivate : Audience::kPublic);
}

}  // namespace tulpar::config
