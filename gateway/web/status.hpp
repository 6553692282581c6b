// SPDX-License-Identifier: Apache-2.0
//
// What a gateway or a relay tells of itself, as values: made by the assembled program, turned into JSON and
// metrics here.
//
// Plain values, made on the loop thread from memory. Sizes in bytes. An empty text or optional: not known, or
// nothing to say; it becomes null.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/types.hpp"
#include "gateway/link/status.hpp"
#include "queue/forecast.hpp"
#include "queue/ledger.hpp"
#include "queue/plan.hpp"
#include "queue/store_reader.hpp"

namespace tulpar::web {

struct ClassStatus {
  std::string name{};
  queue::Book book{};  // in the main direction; its queued includes what is in flight
  std::uint64_t queued_bytes = 0;
  std::uint64_t bytes_in_flight = 0;
  std::optional<Millis> oldest{};  // age of the oldest that waits
  bool paused = false;
  std::string hold_reason{};  // why it waits, for the operator
};

struct LinkPlan {
  std::string name{}, currency{};
  std::string zone{};  // of its cycle: days are said in it
  queue::PlanStatus figures{};
  std::optional<queue::Forecast> forecast{};
};

struct LinkView {
  link::LinkStatus link{};
  std::optional<std::uint64_t> rate_down_bps{};
  std::int64_t wire_up_today = 0, wire_down_today = 0;
  std::optional<LinkPlan> plan{};
};

struct MeshStatus {
  bool connected = false;
  bool durable = false;  // what a node publishes survives our absence
  std::string note{};
  std::int64_t accepted_last_minute = 0;
};

struct StoreStatus {
  bool ok = true;
  std::int64_t bytes = 0, max_bytes = 0;
  std::string problem{};
  std::int64_t unstored = 0;  // emergencies in memory, sent or to be sent, that are not on disk
  std::string note{};         // that it was damaged, and what could be saved
  // Bytes written to storage by this process, since its start and since midnight (UTC).
  std::optional<std::int64_t> written{}, written_today{};
};

struct SinkStatus {
  std::string name{};
  bool connected = false;
  std::int64_t lag = 0;  // messages that it is owed
  std::string note{};
  bool refusing = false;  // some of them, for now
};

// A gateway, as its relay sees it.
struct GatewayView {
  std::string name{};
  bool connected = false;
  std::optional<Millis> last_contact{};  // ago
  std::int64_t queued = 0;               // towards it
};

struct Status {
  std::string name;
  BootTime at{};  // when this was taken: ages are told from here
  Millis uptime{0};
  bool clock_trusted = false;
  bool ok = false;
  std::string verdict;  // one sentence for the operator
  MeshStatus mesh;
  queue::Book ledger;  // of the main direction: mesh to link at a gateway, link to sinks at a relay
  queue::Book back;    // of the other
  std::vector<ClassStatus> classes;  // most urgent first
  std::vector<LinkView> links;
  StoreStatus store;
  std::optional<Millis> last_delivered;  // ago
  std::vector<SinkStatus> sinks;
  std::vector<GatewayView> gateways;
};

// A message as the page and the API show it.
struct MessageView {
  queue::Story story;
  std::optional<Millis> age;           // since it was accepted; known also without a believable clock
  std::string link;                    // which carried it
  std::optional<config::Money> price;  // its part of the bill
  std::string currency;
};

}  // namespace tulpar::web
