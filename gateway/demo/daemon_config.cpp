// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/daemon_config.hpp"

#include <fmt/format.h>

#include "config/units.hpp"

namespace tulpar::demo {
namespace {

// The mesh's default key; the simulator encrypts with it.
constexpr std::string_view kChannel = "[[channel]]\nname = \"LongFast\"\npsk = \"AQ==\"\n";

// An onlooker has less patience than a position or a log.
constexpr std::string_view kWaits =
    "[[class]]\nname = \"telemetry\"\nhold = \"3s\"\n[[class]]\nname = \"bulk\"\nhold = \"6s\"\n";
constexpr std::chrono::days kCycleAge{10};

// $TMPDIR may hold anything.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

int reset_day_before(WallTime now) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(now) - kCycleAge);
  return static_cast<int>(static_cast<unsigned>(day.day()));
}

std::string gateway_toml(const DaemonSetup& setup) {
  return fmt::format(
      "name = \"{}\"\nstate_dir = {}\n\n"
      "[mqtt]\nhost = \"127.0.0.1\"\nport = {}\ntopics = [\"msh/#\"]\n\n"
      "{}\n{}\n"
      "[[link]]\nname = \"sat\"\ntransport = \"tls\"\nenrolment_file = {}\nrate = \"{}\"\n"
      "[link.plan]\npreset = \"{}\"\ncycle = {{ reset_day = {} }}\n\n"
      "[web]\nlisten = \"{}\"\ntls = \"{}\"\n",
      kGatewayName, quoted(setup.gateway_state()), setup.site_port, kChannel, kWaits,
      quoted(setup.enrolment_file()), config::format_rate(setup.rate), kPlan, setup.reset_day,
      config::format_host_port(setup.page), config::is_loopback(setup.page.host) ? "off" : "auto");
}

std::string relay_toml(const DaemonSetup& setup) {
  const std::string broker = fmt::format("type = \"mqtt\"\nhost = \"127.0.0.1\"\nport = {}\n", setup.net_port);
  return fmt::format(
      "name = \"relay\"\nstate_dir = {}\n\n"
      "{}\n"
      "[listen]\ntls = \"127.0.0.1:{}\"\n\n"
      "[[sink]]\n{}\n[[source]]\n{}\n"
      "[web]\nlisten = \"\"\n",
      quoted(setup.relay_state()), kChannel, setup.relay_port, broker, broker);
}

std::string page_url(const config::HostPort& page) {
  return fmt::format("{}://{}/", config::is_loopback(page.host) ? "http" : "https",
                     config::format_host_port(page));
}

}  // namespace tulpar::demo
