// SPDX-License-Identifier: Apache-2.0
//
// Small things that both programs need to start: configuration values as the parts want them, problems in the
// log.
//
// Pure but for the log.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "bridge/mqtt_sink.hpp"
#include "bridge/mqtt_source.hpp"
#include "config/problem.hpp"
#include "config/types.hpp"
#include "queue/store.hpp"

namespace tulpar {

void report_problems(const std::vector<config::Problem>& problems);

// The store's marks as a source wants them.
std::vector<bridge::Redelivery::Mark> redelivery_marks(const std::vector<queue::BrokerMark>& marks);

inline std::optional<BootTime> earliest(std::initializer_list<std::optional<BootTime>> times) {
  std::optional<BootTime> first;
  for (const auto& at : times)
    if (at && (!first || *at < *first)) first = at;
  return first;
}

}  // namespace tulpar
