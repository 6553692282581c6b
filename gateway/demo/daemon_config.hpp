// SPDX-License-Identifier: Apache-2.0
//
// The configurations of the demo's gateway and relay: what an operator would write, and the product's defaults
// for all the rest.
//
// Pure functions, any thread.
#pragma once

#include <filesystem>
#include <string>

#include "config/address.hpp"
#include "config/types.hpp"

namespace tulpar::demo {

inline constexpr const char* kGatewayName = "altai";
// Its bytes are priced on the screen, too.
inline constexpr const char* kPlan = "certus-100";

struct DaemonSetup {
  std::filesystem::path directory;  // absolute; everything of theirs is in here
  std::uint16_t site_port = 0;      // broker at the mesh
  std::uint16_t net_port = 0;       // broker on the internet
  std::uint16_t relay_port = 0;     // where the relay listens for the link
  config::BitRate rate = 0;         // of the link
  config::HostPort page;            // where the gateway serves its page
  int reset_day = 1;                // when the month's volume begins anew, 1..31

  std::filesystem::path gateway_file() const { return directory / "gateway.toml"; }
  std::filesystem::path relay_file() const { return directory / "relay.toml"; }
  std::filesystem::path enrolment_file() const { return directory / "altai.enrolment"; }
  std::filesystem::path gateway_state() const { return directory / "gateway"; }
  std::filesystem::path relay_state() const { return directory / "relay"; }
};

// A day of the month such that the cycle is some days old: on its first day nothing is left over for `bulk`.
int reset_day_before(WallTime now);

std::string gateway_toml(const DaemonSetup& setup);
std::string relay_toml(const DaemonSetup& setup);

// Without a one-time code. Encrypted where others than this machine can see it.
std::string page_url(const config::HostPort& page);

}  // namespace tulpar::demo
