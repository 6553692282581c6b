// SPDX-License-Identifier: Apache-2.0
#include "gateway/start.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "config/load.hpp"
#include "tests/catch.hpp"

namespace tulpar {

TEST_CASE("start: of several times the earliest, of none none") {
  const BootTime early{Millis{5}}, late{Millis{9}};
  CHECK_FALSE(earliest({}));
  CHECK_FALSE(earliest({std::nullopt, std::nullopt}));
  CHECK(earliest({late, std::nullopt, early, late}) == early);
  CHECK(earliest({std::nullopt, late}) == late);
}

TEST_CASE("start: the store's marks are the source's, in their order") {
  using Mark = bridge::Redelivery::Mark;
  CHECK(redelivery_marks({{3, 30}, {1, 10}, {3, 31}}) == std::vector<Mark>{{3, 30}, {1, 10}, {3, 31}});
  CHECK(redelivery_marks({}).empty());
}

TEST_CASE("start: problems go to the log, errors and warnings apart") {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  const auto mine =
      std::make_shared<spdlog::logger>("mine", std::make_shared<spdlog::sinks::ostream_sink_st>(log));
  mine->set_pattern("%l: %v");
  spdlog::set_default_logger(mine);
  const auto loaded = config::parse_gateway("name = \"roof\"\nspeed = 5\n[[link]]\nenrolment_file = \"/e\"\n");
  auto problems = loaded.problems;
  REQUIRE(problems.size() == 1);
  problems.push_back(problems.front());
  problems.back().severity = config::Severity::kWarning;
  report_problems(problems);
  spdlog::set_default_logger(before);
  const auto words = config::explain(problems.front());
  CHECK_THAT(log.str(), StartsWith("error: " + words) && Contains("speed"));
  CHECK_THAT(log.str(), Contains("\nwarning: "));
}

}  // namespace tulpar
