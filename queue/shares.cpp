// SPDX-License-Identifier: Apache-2.0
#include "queue/shares.hpp"

#include <algorithm>

namespace tulpar::queue {

Shares::Shares(const std::vector<config::MessageClass>& classes) : accounts_(classes.size()) {
  set_policy(classes);
}

void Shares::set_policy(const std::vector<config::MessageClass>& classes) {
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    accounts_[i].minimum = classes.at(i).minimum_share;
    accounts_[i].weight = classes.at(i).weight;
  }
}

std::optional<ClassId> Shares::turn(const ClassSet& candidates) const {
  if (candidates[kEmergency]) return kEmergency;
  // Where all are overdrawn, what counts is how far behind the best they are.
  double best = -kMemory;
  for (std::size_t i = 0; i < accounts_.size(); ++i)
    if (candidates[i]) best = std::max(best, accounts_[i].balance);
  const double enough = std::min(best, 0.0) - kHeadStart;
  for (std::size_t i = 0; i < accounts_.size(); ++i)
    if (candidates[i] && accounts_[i].balance >= enough) return static_cast<ClassId>(i);
  return std::nullopt;
}

void Shares::sent(ClassId cls, std::uint64_t bytes, ClassSet waiting) {
  if (cls == kEmergency) return;
  waiting.set(cls).reset(kEmergency);
  double minima = 0, weights = 0, best = -kMemory;
  const auto takes_part = [&](std::size_t i) { return waiting[i] || accounts_[i].balance < 0; };
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    if (!takes_part(i)) continue;
    minima += accounts_[i].minimum;
    weights += accounts_[i].weight;
  }
  const double scale = minima > 1 ? 1 / minima : 1;  // minima that nobody could keep are cut in proportion
  const double rest = 1 - minima * scale;
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    Account& account = accounts_[i];
    const double share = takes_part(i) ? account.minimum * scale + rest * account.weight / weights : 0;
    account.balance += (share - (i == cls ? 1 : 0)) * static_cast<double>(bytes);
    if (waiting[i]) best = std::max(best, account.balance);
  }
  // If all who wait are overdrawn, they owe only those who are not there: forgiven, or a newcomer would shut
  // them out.
  const double forgiven = std::max(0.0, -best);
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    double& balance = accounts_[i].balance;
    balance = std::clamp(balance + forgiven, -kMemory, waiting[i] ? kMemory : 0.0);
  }
}

}  // namespace tulpar::queue
