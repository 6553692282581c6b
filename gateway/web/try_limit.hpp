// SPDX-License-Identifier: Apache-2.0
//
// How often one may try a password or a code: a few at once, then slowly; for each address, and for all
// together.
//
// Pure, takes now; on the loop thread. A try is charged before it is checked, so that many at once get no more,
// and refunded when it was right. Bounded: it remembers kMaxAddresses; IPv6 addresses count by their /64.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/base.hpp"

namespace tulpar::web {

class TryLimit {
 public:
  // Typing errors pass; a dictionary does not: 5 at once, then 2880 a day from one address, 17,280 a day from
  // all the world together. (Whoever is locked out by strangers has the Unix socket and the token.)
  static constexpr int kAddressTries = 5;
  static constexpr Millis kAddressRefill{30'000};
  static constexpr int kTotalTries = 20;
  static constexpr Millis kTotalRefill{5'000};
  static constexpr std::size_t kMaxAddresses = 256;

  // Nothing: go on. Else how long to wait, and nothing is charged.
  std::optional<Millis> charge(std::string_view address, BootTime now);
  void refund(std::string_view address, BootTime now);

 private:
  // `paid_until`: a try moves it on by one refill; it may lie ahead of now by the tries at once.
  struct Bucket {
    BootTime paid_until{};
  };
  static Millis wait(const Bucket& bucket, int tries, Millis refill, BootTime now);
  Bucket& of(std::string_view address, BootTime now);

  Bucket total_;
  std::unordered_map<std::string, Bucket> addresses_;
};

// What of an address counts as one caller.
std::string caller_key(std::string_view address);

}  // namespace tulpar::web
