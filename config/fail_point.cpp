// SPDX-License-Identifier: Apache-2.0
#include "config/fail_point.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace tulpar::config {
namespace {

// What the lint looks for in a release.
[[gnu::used]] constexpr char kMarker[] = "tulpar-build-with-fail-points";

constexpr std::uint64_t kLongestStall = 60'000;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

Result<FailRule> parse_rule(std::string_view text) {
  const auto colon = text.find(':'), equals = text.find('=');
  const auto point = std::find(kFailPoints.begin(), kFailPoints.end(), text.substr(0, colon));
  if (point == kFailPoints.end()) return Error{fmt::format("TULPAR_FAIL: \"{}\" names no fail point", text)};
  FailRule rule{.point = static_cast<std::size_t>(point - kFailPoints.begin()), .passing = 0, .stall = {}};
  if (colon < equals && equals != text.npos) {
    const auto action = text.substr(equals + 1);
    const auto stall = number(action);
    if (action == "kill" || (stall && *stall <= kLongestStall))
      rule.passing = number(text.substr(colon + 1, equals - colon - 1)).value_or(0);
    if (stall) rule.stall = Millis(*stall);
  }
  if (rule.passing != 0) return rule;
  return Error{fmt::format("TULPAR_FAIL: \"{}\" is not NAME:N=kill, or NAME:N=MILLISECONDS (1 to {})", text,
                           kLongestStall)};
}

class FailPlan {
 public:
  FailPlan() {
    if (const char* rules = std::getenv("TULPAR_FAIL")) {
      auto parsed = parse_fail_rules(rules);
      if (!parsed) give_up(parsed.error().message);
      rules_ = std::move(*parsed);
    }
    if (const char* file = std::getenv("TULPAR_FAIL_LOG")) {
      log_ = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      if (log_ < 0) give_up(fmt::format("TULPAR_FAIL_LOG: cannot open {}", file));
    }
  }

  void pass(std::size_t point) {
    const std::uint64_t passing = ++passed_[point];
    if (passing == 1) note("pass", point);
    for (const auto& rule : rules_)
      if (rule.point == point && rule.passing == passing) act(rule);
  }

 private:
  [[noreturn]] static void give_up(const std::string& why) {
    fmt::print(stderr, "{}\n", why);
    std::fflush(stderr);
    _exit(2);
  }

  void act(const FailRule& rule) const {
    note(rule.stall ? "stall" : "kill", rule.point);
    if (rule.stall) return std::this_thread::sleep_for(*rule.stall);
    kill(getpid(), SIGKILL);
    // Not one step further, should the signal reach another thread first.
    for (;;) pause();
  }

  // One write() a line: lines of two threads, or of two lives, do not mix.
  void note(const char* what, std::size_t point) const {
    const std::string line = fmt::format("{} {}\n", what, kFailPoints[point]);
    if (log_ >= 0 && write(log_, line.data(), line.size()) < 0) give_up("TULPAR_FAIL_LOG: cannot write");
  }

  std::vector<FailRule> rules_;
  std::array<std::atomic<std::uint64_t>, kFailPoints.size()> passed_{};
  int log_ = -1;
};

// Before main(): a wrong name must be seen at the start, not go unnoticed until it would have been passed.
FailPlan plan;

}  // namespace

Result<std::vector<FailRule>> parse_fail_rules(std::string_view text) {
  std::vector<FailRule> rules;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto rule = parse_rule(text.substr(0, comma));
    if (!rule) return rule.error();
    rules.push_back(*rule);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return rules;
}

void pass_fail_point(std::size_t point) { plan.pass(point); }

}  // namespace tulpar::config
