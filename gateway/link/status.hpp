// SPDX-License-Identifier: Apache-2.0
//
// What a link tells of itself, for the page and the API. The only header of this folder that gateway/web/ may
// include.
//
// Plain value, made on the loop thread.
#pragma once

#include <optional>
#include <string>

#include "queue/ledger.hpp"

namespace tulpar::link {

struct LinkStatus {
  std::string name;
  std::string peer;  // the other side's name
  std::string transport = "tls";
  std::string state = "down";  // down | connecting | up
  std::string note;            // why it is down, in words
  std::uint64_t rate_bps = 0;  // measured, up
  std::optional<Millis> round_trip;
  queue::LinkBytes bytes;          // lifetime totals, up to now
  std::size_t inflight_bytes = 0;  // sent and not acknowledged by the peer's store
  std::optional<BootTime> up_since, last_contact;
};

}  // namespace tulpar::link
