// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/try_limit.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace tulpar::web {

std::string caller_key(std::string_view address) {
  in6_addr parsed{};
  const std::string text(address.substr(0, address.find('%')));  // without the zone
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed))
    return std::string(address);
  return "6:" + std::string(reinterpret_cast<const char*>(parsed.s6_addr), 8);
}

Millis TryLimit::wait(const Bucket& bucket, int tries, Millis refill, BootTime now) {
  return std::max(Millis(0), bucket.paid_until - now - (tries - 1) * refill);
}

TryLimit::Bucket& TryLimit::of(std::string_view address, BootTime now) {
  const auto key = caller_key(address);
  if (addresses_.size() >= kMaxAddresses && !addresses_.contains(key)) {
    std::erase_if(addresses_, [now](const auto& entry) { return entry.second.paid_until <= now; });
    // All owe something: whoever owes least gains least by being forgotten, and the limit for all holds anyway.
    if (addresses_.size() >= kMaxAddresses)
      addresses_.erase(std::min_element(addresses_.begin(), addresses_.end(), [](const auto& a, const auto& b) {
        return a.second.paid_until < b.second.paid_until;
      }));
  }
  return addresses_[key];
}

std::optional<Millis> TryLimit::charge(std::string_view address, BootTime now) {
  auto& own = of(address, now);
  const auto longest =
      std::max(wait(own, kAddressTries, kAddressRefill, now), wait(total_, kTotalTries, kTotalRefill, now));
  if (longest > Millis(0)) return longest;
  own.paid_until = std::max(own.paid_until, now) + kAddressRefill;
  total_.paid_until = std::max(total_.paid_until, now) + kTotalRefill;
  return std::nullopt;
}

void TryLimit::refund(std::string_view address, BootTime now) {
  // Whoever knows the password may have mistyped it before.
  addresses_.erase(caller_key(address));
  total_.paid_until = std::max(now, total_.paid_until - kTotalRefill);
}

}  // namespace tulpar::web
