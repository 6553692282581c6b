// SPDX-License-Identifier: Apache-2.0
#include "gateway/start.hpp"

#include <spdlog/spdlog.h>

namespace tulpar {

void report_problems(const std::vector<config::Problem>& problems) {
  for (const auto& problem : problems) {
    if (problem.severity == config::Severity::kError)
      spdlog::error("{}", config::explain(problem));
    else
      spdlog::warn("{}", config::explain(problem));
  }
}

std::vector<bridge::Redelivery::Mark> redelivery_marks(const std::vector<queue::BrokerMark>& marks) {
  std::vector<bridge::Redelivery::Mark> converted;
  for (const auto& mark : marks) converted.push_back({mark.packet, mark.fingerprint});
  return converted;
}

}  // namespace tulpar
