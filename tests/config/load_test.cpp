// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <fstream>

#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar;
using namespace tulpar::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("the least that a gateway needs gives the defaults") {
  const auto loaded = parse_gateway(kGateway);
  REQUIRE(told(loaded.problems).empty());
  Gateway expected;
  expected.name = "roof";
  expected.state_dir = "/state";
  expected.links.emplace_back().enrolment_file = "/etc/tulpar/roof.enrolment";
  CHECK(*loaded.value == expected);
}

// Ten files as people write them; each problem must say where, what, and what to do.
TEST_CASE("ten wrong files give ten errors that a person can act on") {
  struct Wrong {
    const char* text;
    const char* told;
  };
  const auto wrong = GENERATE(
      Wrong{
          "[[link]]\nenrolment_file = \"x\"\nrate = \"96bits\"",
          "g.toml:4: [[link]] rate = \"96bits\": not a rate; write e.g. \"9600bit/s\" (300bit/s to 1Gbit/s)\n"},
      Wrong{"[mqtt]\nhsot = \"127.0.0.1\"",
            "g.toml:3: [mqtt] hsot: unknown key; the nearest known one is \"host\" (known here: host, listen, "
            "password, "
            "port, tls, topics, username, users)\n"},
      Wrong{"[mqtt]\nhost = \"127.0.0.1\"\nport = 188300",
            "g.toml:4: [mqtt] port = 188300: must be a whole number, 1 to 65535\n"},
      Wrong{"[[rule]]\ntopic = \"mesh/+/sos\"\nclass = \"emergancy\"",
            "g.toml:4: [[rule]] class = \"emergancy\": no such class; the nearest is \"emergency\" (there are "
            "emergency, "
            "message, normal, telemetry, bulk)\n"},
      Wrong{"[[rule]]\ntopic = \"mesh/#/sos\"\nclass = \"emergency\"",
            "g.toml:3: [[rule]] topic = \"mesh/#/sos\": not a topic filter; # stands only at the end, e.g. "
            "\"msh/#\"\n"},
      Wrong{
          "[[channel]]\nname = \"LongFast\"\npsk = \"AQID\"",
          "g.toml:4: [[channel]] psk: a key of 3 bytes; allowed are 0 (none), 1 (a default key), 16 and 32\n"},
      Wrong{"[web]\nlisten = \"0.0.0.0:8480\"\ntls = \"off\"",
            "g.toml:4: [web] tls = \"off\": refused beyond loopback, passwords would cross the network "
            "readable; write "
            "\"auto\", or listen on 127.0.0.1\n"},
      Wrong{"[[class]]\nname = \"telemetry\"\nhold = 60",
            "g.toml:4: [[class]] hold = 60: must be text in quotes, a number with its unit (0s to 1d)\n"},
      Wrong{"[[link]]\nenrolment_file = \"x\"\nplan = \"certus\"",
            "g.toml:4: [[link]] plan = \"certus\": no such plan; the nearest is \"certus-100\" (built in: "
            "certus-100, "
            "metered, starlink-50gb; or write /var/lib/tulpar/plans/certus.toml)\n"},
      Wrong{"[storage]\nmax_size = 10GB",
            "g.toml:3: not TOML at column 14: Error while parsing decimal integer: expected digit, saw 'G' "
            "(texts, "
            "durations, sizes and rates stand in quotes)\n"});
  const bool has_link = has(wrong.text, "[[link]]");
  const auto file =
      std::string("name = \"roof\"\n") + wrong.text + (has_link ? "" : "\n[[link]]\nenrolment_file = \"x\"\n");
  const auto loaded = parse_gateway(file, "g.toml");
  CHECK_FALSE(loaded.ok());
  CHECK(told(loaded.problems) == wrong.told);
}

TEST_CASE("all problems come at once, in the order of the file") {
  const auto loaded =
      parse_gateway("nmae = \"x\"\n[mqtt]\nhost = \"a b\"\n[[link]]\nrate = 1\n[web]\ntls = 3\n", "g");
  CHECK_FALSE(loaded.ok());
  std::vector<int> lines;
  for (const auto& problem : loaded.problems) lines.push_back(problem.line);
  CHECK(lines == std::vector<int>{0, 1, 3, 4, 5, 7});
}

TEST_CASE("a warning does not stand in the way") {
  const auto loaded = parse_gateway(std::string(kGateway) + "[mqtt]\nport = 1884\n", "g");
  CHECK(loaded.ok());
  CHECK(told(loaded.problems) ==
        "g:6: warning: [mqtt] port = 1884: has no effect: without `host` Tulpar runs a broker of its own "
        "(`listen`, "
        "`users`)\n");
}

TEST_CASE("what the page changed lies over the file") {
  const auto file = std::string(kGateway) +
                    "rate = \"2400bit/s\"\n[[class]]\nname = \"telemetry\"\nhold = \"5s\"\nttl = \"3h\"\n";
  const auto settings =
      "[[link]]\nname = \"sat\"\nplan = \"certus-100\"\n[[class]]\nname = \"telemetry\"\nhold = \"20s\"\n";
  const auto loaded =
      load_gateway("/etc/g.toml", from({{"/etc/g.toml", file}, {"/state/settings.toml", settings}}));
  REQUIRE(told(loaded.problems).empty());
  const auto& gateway = *loaded.value;
  CHECK(gateway.classes[3].hold == 20s);
  CHECK(gateway.classes[3].ttl == 3h);
  REQUIRE(gateway.links.size() == 1);
  CHECK(gateway.links[0].rate == 2400);
  CHECK(gateway.links[0].enrolment_file == "/etc/tulpar/roof.enrolment");
  CHECK(gateway.links[0].plan_name == "certus-100");
}

TEST_CASE("a problem in the page's settings is told of that file") {
  const auto loaded =
      load_gateway("/etc/g.toml", from({{"/etc/g.toml", std::string(kGateway)},
                                        {"/state/settings.toml", "\n[web]\nlisten = \"x\"\nfoo = 1\n"}}));
  const auto out = told(loaded.problems);
  CHECK_FALSE(loaded.ok());
  CHECK(has(out, "/state/settings.toml:3: [web] listen = \"x\": not HOST:PORT"));
  CHECK(has(out, "/state/settings.toml:4: [web] foo: unknown key"));
}

TEST_CASE("settings cannot move the place where they were found") {
  const auto loaded = load_gateway(
      "/g", from({{"/g", std::string(kGateway)}, {"/state/settings.toml", "state_dir = \"/other\""}}));
  CHECK(told(loaded.problems) ==
        "/state/settings.toml:1: state_dir: not allowed here: these settings were found by it\n");
}

TEST_CASE("settings of the default state directory are found, too") {
  const auto text = "name = \"r\"\n[[sink]]\n";
  const auto loaded =
      load_relay("/r", from({{"/r", text}, {"/var/lib/tulpar-relay/settings.toml", "name = \"other\""}}));
  REQUIRE(loaded.ok());
  CHECK(loaded.value->name == "other");
}

TEST_CASE("settings that are there but cannot be read are not ignored") {
  const auto files = from({{"/g", std::string(kGateway)}});
  const auto loaded = load_gateway("/g", [&](const fs::path& path) -> Result<std::optional<std::string>> {
    if (path == "/state/settings.toml") return Error{"cannot be read: Permission denied"};
    return files(path);
  });
  CHECK_FALSE(loaded.ok());
  CHECK(told(loaded.problems) == "/state/settings.toml: cannot be read: Permission denied\n");
}

TEST_CASE("relative paths start at the folder of the file that names them") {
  auto text = std::string(kGateway);
  text.replace(text.find("/etc/tulpar/roof"), 16, "keys/roof");
  const auto loaded = load_gateway(
      "/srv/g.toml",
      from({{"/srv/g.toml", text}, {"/state/settings.toml", "[web]\ntls = { cert = \"c\", key = \"/k\" }"}}));
  REQUIRE(told(loaded.problems).empty());
  CHECK(loaded.value->links[0].enrolment_file == "/srv/keys/roof.enrolment");
  CHECK(loaded.value->web.cert == "/state/c");
  CHECK(loaded.value->web.key == "/k");
  CHECK(loaded.value->web.tls == "files");
}

TEST_CASE("gateway and relay are told apart by their tables") {
  const auto any = [](std::string_view text) { return load_any("/f", from({{"/f", std::string(text)}})); };
  CHECK(std::holds_alternative<Gateway>(any(kGateway).value.value()));
  CHECK(std::holds_alternative<Relay>(any(kRelay).value.value()));
  CHECK(std::holds_alternative<Relay>(any("name = \"r\"\n[listen]").value.value()));
  CHECK(has(told(any("name = \"x\"").problems), "a gateway needs one [[link]]"));
  CHECK(told(load_any("/none", from({})).problems) == "/none: no such file\n");
}

TEST_CASE("real files are read, up to a bound") {
  const auto folder = fs::temp_directory_path() / ("tulpar-load-test-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    return folder / name;
  };
  CHECK(read_file(write("small", "a\nb")).value().value() == "a\nb");
  CHECK(read_file(write("empty", "")).value().value().empty());
  CHECK_FALSE(read_file(folder / "none").value().has_value());
  CHECK(read_file(write("full", std::string(1 << 20, '#'))).value().value().size() == 1 << 20);
  CHECK(read_file(write("huge", std::string((1 << 20) + 1, '#'))).error().message ==
        "larger than 1048576 bytes: no configuration");
  CHECK(read_file(folder).error().message == "cannot be read: Is a directory");
  CHECK(read_file(folder / "small" / "x").error().message == "cannot be read: Not a directory");
  CHECK(has(told(load_gateway(folder / "none.toml").problems), "none.toml: no such file"));
  fs::remove_all(folder);
}
