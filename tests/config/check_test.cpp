// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::config;

namespace {

void check_all(TextCheck check, std::initializer_list<std::string> good,
               std::initializer_list<std::string> bad) {
  for (const auto& text : good) {
    CAPTURE(text);
    CHECK(check(text).has_value());
  }
  for (const auto& text : bad) {
    CAPTURE(text);
    const auto result = check(text);
    REQUIRE_FALSE(result.has_value());
    CHECK_FALSE(result.error().message.empty());
  }
}

}  // namespace

TEST_CASE("names can be topic levels and files' names") {
  check_all(check_name, {"a", "almaty-roof", "Node_7.b", std::string(63, 'x')},
            {"", ".", "..", "a/b", "a b", "a+", "#", "ж", std::string(64, 'x'), std::string("a\0", 2)});
}

TEST_CASE("topic filters follow MQTT") {
  check_all(check_filter,
            {"#", "+", "msh/#", "mesh/+/sos", "+/+", "/", "a//b", "$SYS/#", "/+", std::string(65'535, 'x')},
            {"", "msh/#/x", "msh#", "a/b+", "+a", "##", "#/", "a/#b", std::string(65'536, 'x')});
}

TEST_CASE("filters that select a common topic overlap, in both orders") {
  const auto overlap = [](std::string_view a, std::string_view b) {
    const bool yes = filters_overlap(a, b);
    CHECK(filters_overlap(b, a) == yes);
    return yes;
  };
  for (const auto& [a, b] : {std::pair{"#", "a"},
                             {"a/#", "a"},
                             {"a/+", "+/b"},
                             {"a/+/c", "a/#"},
                             {"+/+", "a/"},
                             {"a/b", "a/b"},
                             {"$SYS/#", "$SYS/+"},
                             {"a/#", "a/b/#"},
                             {"+", "a/#"}}) {
    CAPTURE(a, b);
    CHECK(overlap(a, b));
  }
  for (const auto& [a, b] : {std::pair{"a", "b"},
                             {"a/b", "a"},
                             {"msh/#", "mesh/+/sos"},
                             {"+", "a/b"},
                             {"a/+", "a"},
                             {"#", "$SYS/x"},
                             {"+/x", "$SYS/x"},
                             {"a/b/#", "a"},
                             {"a", "a/"}}) {
    CAPTURE(a, b);
    CHECK_FALSE(overlap(a, b));
  }
}

TEST_CASE("prefixes know one placeholder") {
  check_all(check_prefix, {"", "mesh/", "mesh/{gateway}/", "{gateway}{gateway}", "x"},
            {"a/+/", "#", "{node}/", "{", "}", "{gateway", "{gateway}}", std::string(65'536, 'x')});
}

TEST_CASE("a source's prefix can be subscribed") {
  check_all(check_source_prefix, {"down/{gateway}/", "{gateway}/", "a/{gateway}/b/"},
            {"", "down/", "down/{gateway}", "down/x{gateway}/", "down/{gateway}x/", "{gateway}/{gateway}/",
             "down/{gateway}/x", "+/{gateway}/"});
}

TEST_CASE("Meshtastic's names are checked") {
  check_all(check_channel_name, {"LongFast", "Жаңбы", "a b", "12345678901"},
            {"", "123456789012", "a/b", "+", "#"});
  check_all(check_node_id, {"!7efeee00", "!7EFEEE00"},
            {"", "7efeee00", "!7efeee0", "!7efeee000", "!7efeeg00", "^7efeee00"});
}

TEST_CASE("hosts, addresses, paths and currencies are checked") {
  check_all(check_host, {"127.0.0.1", "::1", "broker"}, {"", "broker:1883", "a b"});
  check_all(check_listen, {"0.0.0.0:7700", "[::]:7700"}, {"", "7700", "0.0.0.0"});
  check_all(check_listen, {"localhost:7700"}, {});
  check_all(check_listen_address, {"0.0.0.0:7700", "[::]:7700"},
            {"localhost:7700", "0.0.0.0", "", "relay:7700"});
  check_all(check_absolute, {"/", "/var/lib/tulpar"}, {"", "var", "./x"});
  check_all(check_currency, {"USD", "KZT"}, {"", "usd", "US", "USDT", "$"});
  CHECK(check_host("broker:1883").error().message.find("`port`") != std::string::npos);
}

TEST_CASE("an unknown time zone is an error, not an exception") {
  check_all(check_zone, {"UTC", "Asia/Almaty", "Europe/Berlin"},
            {"", "Asia/Almat", "Asia", "asia/almaty", "../../../etc/passwd", "/etc/localtime", "GMT+25",
             std::string(10'000, 'x')});
}

TEST_CASE("an empty text can mean none") {
  CHECK(or_empty<check_listen>("").has_value());
  CHECK(or_empty<check_listen>("127.0.0.1:1").has_value());
  CHECK_FALSE(or_empty<check_listen>("x").has_value());
}
