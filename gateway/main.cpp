// SPDX-License-Identifier: Apache-2.0
//
// The command line: names the commands and their options, and hands over.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "config/units.hpp"
#include "gateway/appliance.hpp"
#include "gateway/commands.hpp"
#include "gateway/demo.hpp"
#include "gateway/relay.hpp"

namespace {

constexpr const char* kGatewayConfig = "/etc/tulpar/gateway.toml";
constexpr const char* kRelayConfig = "/etc/tulpar/relay.toml";

struct Arguments {
  std::string config = kGatewayConfig;
  std::string relay_config = kRelayConfig;
  std::string name, address, file, topic, cls, payload;
  bool json = false, effective = false;
  tulpar::demo::DemoOptions demo;
  std::string demo_rate = "9600bit/s", demo_delay = "300ms";
  int exit_code = 0;
};

void add_daemons(CLI::App& app, Arguments& args) {
  auto* gateway = app.add_subcommand("gateway", "run the gateway in the foreground");
  gateway->add_option("--config", args.config, "configuration")->capture_default_str();
  gateway->callback([&args] { args.exit_code = tulpar::run_gateway(args.config); });
  auto* relay = app.add_subcommand("relay", "run the internet end in the foreground");
  relay->add_option("--config", args.relay_config, "configuration")->capture_default_str();
  relay->callback([&args] { args.exit_code = tulpar::run_relay(args.relay_config); });
}

// A unit's parser as CLI11 wants a check: the words of what is wrong, empty when all is well.
template <class Value>
auto parsed_into(Value& into, tulpar::Result<Value> (*parse)(std::string_view)) {
  return [&into, parse](const std::string& text) -> std::string {
    const auto value = parse(text);
    if (!value) return value.error().message;
    into = *value;
    return {};
  };
}

tulpar::Result<tulpar::config::BitRate> parse_demo_rate(std::string_view text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  return tulpar::config::parse_rate(bare ? std::string(text) + "bit/s" : std::string(text));
}

void add_demo(CLI::App& app, Arguments& args) {
  auto* demo = app.add_subcommand(
      "demo", "a simulated mesh over two emulated satellite links: Tulpar, and a plain MQTT bridge beside it");
  demo->add_option("--rate", args.demo_rate, "the link's rate: 9600, 88kbit/s")
      ->check(parsed_into<tulpar::config::BitRate>(args.demo.rate, parse_demo_rate))
      ->capture_default_str();
  demo->add_option("--delay", args.demo_delay, "one way: 300ms")
      ->check(parsed_into<tulpar::Millis>(args.demo.delay, tulpar::config::parse_duration))
      ->capture_default_str();
  demo->add_option("--loss", args.demo.loss, "part of the packets that is lost")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  demo->add_option("--nodes", args.demo.nodes, "nodes of the mesh")
      ->check(CLI::Range(1, 2000))
      ->capture_default_str();
  demo->add_option("--web", args.demo.web, "where the page listens")->capture_default_str();
  demo->add_option("--plan-speed", args.demo.plan_speed, "how many times faster than real life time passes")
      ->check(CLI::Range(0.1, 10000.0))
      ->capture_default_str();
  demo->callback([&args] { args.exit_code = tulpar::demo::run_demo(args.demo); });
}

void add_enrolment(CLI::App& app, Arguments& args) {
  auto* enrol = app.add_subcommand("enrol", "at the relay: admit a gateway; prints the line that it needs");
  enrol->add_option("name", args.name, "of the gateway")->required();
  enrol->add_option("--config", args.relay_config, "the relay's configuration")->capture_default_str();
  enrol->add_option("--address", args.address, "HOST:PORT where gateways reach this relay")->required();
  enrol->callback(
      [&args] { args.exit_code = tulpar::enrol_command(args.name, args.relay_config, args.address); });
  auto* revoke = app.add_subcommand("revoke", "at the relay: a gateway is no longer admitted");
  revoke->add_option("name", args.name, "of the gateway")->required();
  revoke->add_option("--config", args.relay_config, "the relay's configuration")->capture_default_str();
  revoke->callback([&args] { args.exit_code = tulpar::revoke_command(args.name, args.relay_config); });
}

void add_questions(CLI::App& app, Arguments& args) {
  for (const std::string what : {"status", "queue", "usage", "plan"}) {
    auto* ask = app.add_subcommand(what, "ask the running gateway or relay");
    ask->add_option("--config", args.config, "its configuration")->capture_default_str();
    ask->add_flag("--json", args.json, "as the API answers it");
    ask->callback([&args, what] { args.exit_code = tulpar::ask_command(what, args.config, args.json); });
  }
  auto* send = app.add_subcommand("send", "hand a message to the running gateway or relay");
  send->add_option("--topic", args.topic, "MQTT topic; at a relay: GATEWAY/TOPIC")->required();
  send->add_option("--class", args.cls, "class; default: as the rules say");
  send->add_option("--config", args.config, "its configuration")->capture_default_str();
  send->add_option("payload", args.payload, "the payload; - or nothing: from standard input");
  send->callback(
      [&args] { args.exit_code = tulpar::send_command(args.config, args.topic, args.cls, args.payload); });
}

void add_tools(CLI::App& app, Arguments& args) {
  auto* check = app.add_subcommand("check", "read a configuration and say what is wrong with it");
  check->add_option("file", args.file, "gateway.toml or relay.toml")->required();
  check->add_flag("--effective", args.effective, "print the configuration in effect, defaults included");
  check->callback([&args] { args.exit_code = tulpar::check_command(args.file, args.effective); });
  auto* passwd = app.add_subcommand("passwd", "set the page's operator password");
  passwd->add_option("--config", args.config, "the gateway's or relay's configuration")->capture_default_str();
  passwd->callback([&args] { args.exit_code = tulpar::passwd_command(args.config); });
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Tulpar: bridges a local mesh to the internet over a satellite link");
  app.set_version_flag("--version", "tulpar " TULPAR_VERSION);
  app.require_subcommand(1);
  Arguments args;
  add_daemons(app, args);
  add_demo(app, args);
  add_enrolment(app, args);
  add_questions(app, args);
  add_tools(app, args);
  CLI11_PARSE(app, argc, argv);
  return args.exit_code;
} catch (const std::exception& error) {
  fmt::print(stderr, "tulpar: {}\n", error.what());
  return 1;
}
