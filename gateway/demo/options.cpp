// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/options.hpp"

#include <fmt/format.h>

#include "config/address.hpp"
#include "config/units.hpp"

namespace tulpar::demo {
namespace {

template <class Value, class Format>
Result<void> within(std::string_view option, Value given, Value low, Value high, Format format) {
  // This way round, because NaN is within nothing.
  if (given >= low && given <= high) return {};
  return Error{fmt::format("--{} {}: out of range; allowed is {} to {}", option, format(given), format(low),
                           format(high))};
}

std::string number(double value) { return fmt::format("{}", value); }

}  // namespace

Result<void> check(const DemoOptions& options) {
  using std::chrono::seconds;
  for (const auto& checked :
       {within<config::BitRate>("rate", options.rate, 300, 1'000'000'000, config::format_rate),
        within<Millis>("delay", options.delay, Millis(0), seconds(10), config::format_duration),
        within<double>("loss", options.loss, 0, 0.5, number),
        within<double>("nodes", options.nodes, 1, 2000, number),
        within<double>("plan-speed", options.plan_speed, 0.1, 10'000, number)}) {
    if (!checked) return checked;
  }
  const auto page = config::parse_host_port(options.web);
  return page ? Result<void>() : Error{fmt::format("--web {}: {}", options.web, page.error().message)};
}

}  // namespace tulpar::demo
