// SPDX-License-Identifier: Apache-2.0
//
// Applies the link's plan: reads what was used from the ledger, asks the PlanMeter, opens and closes the
// classes of the scheduler, keeps the figures for the page.
//
// On the loop thread; reading is asynchronous. Without a plan it does nothing. Looks again after what was
// settled, at most every kEvery, when the billing day ends, and every minute while the clock is not believed:
// then the last day that the ledger knows goes on (queue/plan.hpp).
#pragma once

#include <map>
#include <optional>

#include "gateway/link/peer.hpp"
#include "queue/forecast.hpp"
#include "queue/plan.hpp"

namespace tulpar {

struct PlanFigures {
  std::string name;
  std::string currency;
  std::string zone;  // of its cycle
  queue::PlanStatus status;
  std::optional<queue::Forecast> forecast;
};

class PlanKeeper {
 public:
  static constexpr Millis kEvery = std::chrono::seconds(5);

  // Throws std::runtime_error if the plan's cycle is not a valid one (the configuration was checked before).
  PlanKeeper(const config::Link& link, const std::vector<config::MessageClass>& classes,
             queue::StoreRunner& runner, const Clock& clock, std::function<void()> wake);

  // The peer whose classes are opened and closed; nullptr: none any more.
  void set_peer(link::LinkPeer* peer) { peer_ = peer; }
  // Read again while it runs. REQUIRES: same number and order.
  void set_classes(const std::vector<config::MessageClass>& classes);
  // Something was spent.
  void changed() { dirty_ = true; }
  void step();
  std::optional<BootTime> next_wake() const;
  // Nothing without a plan, or before the first look.
  const std::optional<PlanFigures>& figures() const { return figures_; }

 private:
  struct Reading;
  void withhold(const std::vector<queue::ClassVerdict>& verdicts);
  void apply(const Reading& reading);

  config::Link link_;
  std::vector<config::MessageClass> classes_;
  queue::StoreRunner* runner_;
  const Clock* clock_;
  std::function<void()> wake_;
  std::optional<queue::BillingCycle> cycle_;
  std::optional<queue::PlanMeter> meter_;
  link::LinkPeer* peer_ = nullptr;
  std::optional<PlanFigures> figures_;
  std::optional<BootTime> looked_, due_;
  std::optional<WallTime> known_;  // the last believable time; nothing: the store has not been asked yet
  bool dirty_ = true, reading_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar
