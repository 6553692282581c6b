// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/code_file.hpp"

#include "gateway/web/secrets.hpp"
#include "gateway/web/sign_in.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;

TEST_CASE("a code that was left is taken once") {
  const TempDir dir;
  ManualClock clock;
  CHECK_FALSE(take_left_code(dir.text(), clock));
  const auto code = leave_code(dir.text(), clock);
  REQUIRE(code.has_value());
  clock.time += Millis(60'000);
  const auto left = take_left_code(dir.text(), clock);
  REQUIRE(left.has_value());
  CHECK(left->code == *code);
  CHECK(left->until == clock.time + SignIn::kCodeLife - Millis(60'000));
  CHECK_FALSE(take_left_code(dir.text(), clock));
}

TEST_CASE("an old code, or one of another boot, is worth nothing and goes, too") {
  const TempDir dir;
  ManualClock clock;
  CHECK(leave_code(dir.text(), clock).has_value());
  clock.time += SignIn::kCodeLife;
  CHECK_FALSE(take_left_code(dir.text(), clock));
  CHECK_FALSE(std::filesystem::exists(web_dir(dir.text()) / "code"));

  CHECK(leave_code(dir.text(), clock).has_value());
  clock.boot = "boot-b";
  clock.time = BootTime(Millis(5));
  CHECK_FALSE(take_left_code(dir.text(), clock));
  CHECK_FALSE(std::filesystem::exists(web_dir(dir.text()) / "code"));
}

TEST_CASE("a file that says something else is no code") {
  const TempDir dir;
  const ManualClock clock;
  for (const auto* content :
       {"", "\n\n\n", "ABCDEFGH", "ABCDEFGH\nsoon\nboot-a\n", "ABCDEFGH\n99999999999999\nboot-a\n",
        "ABC\n3700000\nboot-a\n", "ABCDEFGH\n3700000\n"}) {
    CHECK(write_private(web_dir(dir.text()) / "code", content).has_value());
    INFO(content);
    CHECK_FALSE(take_left_code(dir.text(), clock));
  }
  CHECK(write_private(web_dir(dir.text()) / "code", "ABCDEFGH\n3700000\nboot-a\n").has_value());
  CHECK(take_left_code(dir.text(), clock)->code == "ABCDEFGH");
}
