// SPDX-License-Identifier: Apache-2.0
#include "config/dump.hpp"

#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar::config;

TEST_CASE("what is in effect is printed, defaults included, and loads again as the same") {
  // The passwords are the mask itself, so that the text carries them.
  const auto config = gateway(R"(rate = "88kbit/s"
downlink = "window"
[link.plan]
preset = "metered"
price = 0.000000001
per = "3B"
reserve = { emergency = "7B" }
cycle = { reset_day = 31, time = "23:59", zone = "Asia/Almaty" }
[mqtt]
topics = ["a \"b\"/#", "жаңбыр/+", "a/#"]
[[mqtt.users]]
name = "u"
password = "********"
topics = []
[[rule]]
topic = "a/#"
class = "weather"
port = 0
channel = "c"
from = "!00000001"
min_size = "0B"
max_size = "1MiB"
[[rule]]
drop = true
[[class]]
name = "weather"
after = "emergency"
minimum_share = 0.333
hold = "1500ms"
[[class]]
name = "telemetry"
after = "message"
[web]
tls = { cert = "/c", key = "/k" }
[storage]
keep_story = "30d"
)");
  const auto text = dump(config);
  CAPTURE(text);
  const auto again = parse_gateway(text);
  REQUIRE(told(again.problems).empty());
  CHECK(*again.value == config);
}

TEST_CASE("a relay's configuration prints and loads again") {
  auto config = relay(std::string(kRelay) + R"(host = "mqtt.example.org"
username = "u"
password = "********"
prefix = "{gateway}/"
[sink.tls]
enabled = true
ca = "/ca"
[[source]]
[listen]
tls = "[::]:7700"
)");
  const auto text = dump(config);
  CAPTURE(text);
  const auto again = parse_relay(text);
  REQUIRE(told(again.problems).empty());
  // What the host told is printed as a value.
  config.sinks[0].audience = Audience::kPublic;
  CHECK(*again.value == config);
}

TEST_CASE("every default is printed and silent when it is read again") {
  Gateway config;
  config.name = "a";
  config.links.emplace_back().enrolment_file = "/x";
  const auto again = parse_gateway(dump(config));
  REQUIRE(told(again.problems).empty());
  CHECK(*again.value == config);
}

TEST_CASE("secrets are masked, their absence is shown") {
  auto config = gateway(
      "[mqtt]\nhost = \"b\"\nusername = \"u\"\npassword = \"s3cret\"\n[[channel]]\nname = \"c\"\npsk = "
      "\"1PG7OiApB1nwvP+rz05pAQ==\"\n"
      "[[channel]]\nname = \"d\"\npsk = \"AQ==\"\n[[channel]]\nname = \"e\"\npsk = \"\"\n");
  config.mqtt.users.push_back({"x", "hunter2", {}});
  const auto text = dump(config);
  CHECK_FALSE(has(text, "s3cret"));
  CHECK_FALSE(has(text, "hunter2"));
  CHECK_FALSE(has(text, "1PG7"));
  CHECK_FALSE(has(text, "AQ=="));
  CHECK(has(text, "password = \"********\""));
  CHECK(has(text, "# a key of 16 bytes\npsk = \"********\""));
  CHECK(has(text, "# a key of 1 byte\npsk"));
  CHECK(has(text, "psk = \"\""));
  auto sinks =
      relay(std::string(kRelay) +
            "username = \"u\"\npassword = \"s3cret\"\n[[source]]\nusername = \"u\"\npassword = \"hunter2\"\n");
  CHECK_FALSE(has(dump(sinks), "s3cret"));
  CHECK_FALSE(has(dump(sinks), "hunter2"));
}
