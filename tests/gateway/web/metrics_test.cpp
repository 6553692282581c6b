// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/metrics.hpp"

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("the text is Prometheus': each family once, described, its samples below it") {
  auto status = a_status();
  status.links[0].plan = a_plan();
  static const std::regex kHelp(R"(# HELP (tulpar_[a-z_]+) \S.*\.)"),
      kType(R"(# TYPE (tulpar_[a-z_]+) (counter|gauge))"),
      kSample(R"((tulpar_[a-z_]+)(\{[a-z]+="([^"\\\n]|\\.)*"(,[a-z]+="([^"\\\n]|\\.)*")*\})? -?[0-9.e+]+)");
  std::set<std::string> seen, samples;
  std::string helped, current, type;
  for (const auto& line : lines_of(metrics_text(status, {}))) {
    INFO(line);
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      helped = match[1];
      CHECK(seen.insert(helped).second);
    } else if (std::regex_match(line, match, kType)) {
      current = match[1];
      type = match[2];
      CHECK(current == helped);
      CHECK((type == "counter") == (current.size() > 6 && current.substr(current.size() - 6) == "_total"));
    } else {
      REQUIRE(std::regex_match(line, match, kSample));
      CHECK(match[1] == current);
      CHECK(samples.insert(line.substr(0, line.rfind(' '))).second);
    }
  }
  CHECK(samples.size() > 40);
}

TEST_CASE("the figures are the status'") {
  auto status = a_status();
  status.links[0].plan = a_plan();
  const auto text = metrics_text(status, {.requests = 5, .refused_sign_in = 2, .live_feeds = 1});
  for (const auto* line :
       {R"(tulpar_info{name="almaty-roof",version="0.1.0"} 1)", "tulpar_uptime_seconds 90.5", "tulpar_ok 1",
        R"(tulpar_messages_accepted_total{direction="main"} 10)",
        R"(tulpar_messages_accepted_total{direction="back"} 5)",
        R"(tulpar_messages_queued{direction="main"} 3)",
        R"(tulpar_class_oldest_seconds{class="emergency"} 2.5)", R"(tulpar_class_paused{class="bulk"} 1)",
        R"(tulpar_link_up{link="sat"} 1)", R"(tulpar_link_wire_up_bytes_total{link="sat"} 90)",
        R"(tulpar_link_rtt_seconds{link="sat"} 0.64)", R"(tulpar_plan_used_bytes{link="sat"} 18000000)",
        R"(tulpar_plan_cost{link="sat"} 1.25)", R"(tulpar_sink_lag{sink="mqtt-0"} 3)",
        "tulpar_http_requests_total 5", R"(tulpar_http_refused_total{reason="sign-in"} 2)",
        "tulpar_http_live_feeds 1", "tulpar_store_ok 1", "tulpar_store_written_bytes_total 8192"}) {
    INFO(line);
    CHECK_THAT(text, Contains(std::string("\n") + line + "\n"));
  }
}

TEST_CASE("labels are escaped, and what does not exist is left out") {
  Status status;
  status.name = "a\"b\\c\nd";
  const auto text = metrics_text(status, {});
  CHECK_THAT(text, Contains(R"(name="a\"b\\c\nd")"));
  CHECK_THAT(text, !Contains("tulpar_link_") && !Contains("tulpar_class_") && !Contains("tulpar_sink_"));
}
