// SPDX-License-Identifier: Apache-2.0
#include "config/fail_point.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::config;

namespace {

// The probe's end, and what it and its log said.
struct Life {
  int status = 0;
  std::string said, log;
};

Life run_probe(const std::string& rules) {
  const std::string log = std::filesystem::temp_directory_path() / ("fail_point_" + std::to_string(getpid()));
  const std::string command =
      "TULPAR_FAIL='" + rules + "' TULPAR_FAIL_LOG=" + log + " exec " TULPAR_FAIL_POINT_PROBE " 2>&1";
  Life life;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) life.said += static_cast<char>(c);
  life.status = pclose(pipe);
  std::stringstream text;
  text << std::ifstream(log).rdbuf();
  life.log = text.str();
  std::filesystem::remove(log);
  return life;
}

}  // namespace

TEST_CASE("no two fail points share a name") {
  CHECK(std::set(kFailPoints.begin(), kFailPoints.end()).size() == kFailPoints.size());
}

TEST_CASE("a fail point's rules are read") {
  const auto rules = parse_fail_rules("store.commit:3=kill,sink.noted:1=250").value();
  REQUIRE(rules.size() == 2);
  CHECK(kFailPoints[rules[0].point] == "store.commit");
  CHECK(rules[0].passing == 3);
  CHECK_FALSE(rules[0].stall);
  CHECK(kFailPoints[rules[1].point] == "sink.noted");
  CHECK(rules[1].stall == Millis(250));
  CHECK(parse_fail_rules("")->empty());
  CHECK(parse_fail_rules("store.commit:1=60000")->front().stall == Millis(60'000));
}

TEST_CASE("what is no rule is refused") {
  for (const char* rules :
       {"store.comit:1=kill", "store.commit", "store.commit:1", "store.commit=kill", "store.commit:0=kill",
        "store.commit:x=kill", "store.commit:1=die", "store.commit:1=0", "store.commit:1=60001",
        "store.commit:1=-5", "store.commit=kill:1", "store.commit:1=kill,,sink.noted:1=kill", ":1=kill", ","}) {
    CAPTURE(rules);
    const auto parsed = parse_fail_rules(rules);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.starts_with("TULPAR_FAIL: "));
  }
}

TEST_CASE("a process dies at the passing that its rule names") {
  const auto life = run_probe("store.commit:2=kill");
  REQUIRE(WIFSIGNALED(life.status));
  CHECK(WTERMSIG(life.status) == SIGKILL);
  CHECK(life.said == "committed\n");
  CHECK(life.log == "pass store.commit\nkill store.commit\n");
}

TEST_CASE("a process stalls where its rule says so, and goes on") {
  const auto begin = std::chrono::steady_clock::now();
  const auto life = run_probe("sink.noted:1=50,store.commit:4=kill");
  CHECK(std::chrono::steady_clock::now() - begin >= Millis(50));
  CHECK(life.status == 0);
  CHECK(life.said == "committed\ncommitted\ncommitted\nend\n");
  CHECK(life.log == "pass store.commit\npass sink.noted\nstall sink.noted\n");
}

TEST_CASE("a process stalls and then dies where two rules say so") {
  const auto life = run_probe("store.commit:1=1,store.commit:1=kill");
  CHECK(WIFSIGNALED(life.status));
  CHECK(life.said.empty());
  CHECK(life.log == "pass store.commit\nstall store.commit\nkill store.commit\n");
}

TEST_CASE("a program with fail points is no release") {
  const std::string check = TULPAR_CHECK_RELEASE " ";
  CHECK(std::system((check + TULPAR_FAIL_POINT_PROBE " >/dev/null").c_str()) != 0);
  CHECK(std::system((check + "/nonexistent 2>/dev/null").c_str()) != 0);
  CHECK(std::system((check + __FILE__).c_str()) == 0);
}

TEST_CASE("a process with a rule that it cannot read does not start") {
  const auto life = run_probe("store.comit:1=kill");
  REQUIRE(WIFEXITED(life.status));
  CHECK(WEXITSTATUS(life.status) == 2);
  CHECK(life.said == "TULPAR_FAIL: \"store.comit:1=kill\" names no fail point\n");
}
