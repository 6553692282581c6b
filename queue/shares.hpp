// SPDX-License-Identifier: Apache-2.0
//
// Divides one destination between the classes: whose turn is the next frame. Pure; on the loop thread only.
//
// In plain words: every class that waits is entitled to a share of what leaves: its minimum, and a part of the
// rest by its weight. Each class has an account in bytes. When b bytes leave, every waiting class earns its
// share of b, and the class that sent pays b. The most urgent class whose account is not overdrawn sends. So
// - a class that sends less than its share is never overdrawn: it goes before all less urgent ones, at once;
// - a class that floods is overdrawn sooner or later, and then the others get exactly their shares;
// - a short burst of an urgent class waits for nobody: only what exceeds kHeadStart counts as overdrawn;
// - a class with nothing to send cannot save up, but pays back what it owes while others send.
// The emergency class stands above this: it is always first, pays nothing, and nobody earns by what it sends.
#pragma once

#include <bitset>
#include <limits>
#include <optional>
#include <vector>

#include "config/types.hpp"
#include "queue/message.hpp"

namespace tulpar::queue {

using ClassSet = std::bitset<std::numeric_limits<ClassId>::max() + std::size_t{1}>;

class Shares {
 public:
  // Bytes by which a class may be overdrawn and still go first: some forty texts, 3.4 s at 9600 bit/s.
  static constexpr double kHeadStart = 4096;
  // Bytes that an account remembers in either direction. Enough for a class to claim its 5 % of one largest
  // message (1 MiB) that left before it; little enough that a debt is at most 55 s of a 9600 bit/s link.
  static constexpr double kMemory = 65'536;

  explicit Shares(const std::vector<config::MessageClass>& classes);
  // New weights and minima; the accounts stay. REQUIRES: as many classes as before.
  void set_policy(const std::vector<config::MessageClass>& classes);

  // Whose turn it is among the candidates; nothing iff there is none.
  std::optional<ClassId> turn(const ClassSet& candidates) const;
  // `bytes` left for `cls` while the classes in `waiting` had work too.
  void sent(ClassId cls, std::uint64_t bytes, ClassSet waiting);

 private:
  struct Account {
    double minimum = 0, weight = 0;  // of the policy
    double balance = 0;              // bytes; negative: overdrawn
  };
  std::vector<Account> accounts_;
};

}  // namespace tulpar::queue
