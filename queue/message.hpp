// SPDX-License-Identifier: Apache-2.0
//
// A message on its way through one store: who gave it, where it goes, what became of it.
//
// Plain values, any thread. A message goes either over the link to one peer, or to the sinks of this machine
// (the edge: brokers here). Its story is: queued, perhaps in flight, then exactly one of the finished states.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base.hpp"

namespace tulpar::queue {

// Row of a message in one store; grows, never used twice. 0: none.
using MessageId = std::int64_t;
// Row of a mesh node (or of the topic level that names one).
using NodeId = std::int32_t;
// Index into the configured classes; 0 is the most urgent. The default classes are in DESIGN's order.
using ClassId = std::uint8_t;
// Row of a link peer: at the gateway its relay, at the relay a gateway. 0: the edge.
using PeerId = std::int32_t;
inline constexpr PeerId kEdge = 0;

// The class that no quota, pause or full store holds back is always the first one.
inline constexpr ClassId kEmergency = 0;

// Values are stored; do not renumber.
enum class State : std::uint8_t {
  kQueued = 0,
  kInFlight = 1,   // part of a batch that was begun; counted as queued in the books
  kDelivered = 2,  // on the far side's disk, or acknowledged by every sink
  kExpired = 3,
  kConflated = 4,  // a later message of the same node and kind took its place
  kDropped = 5,
};

// Why a message was dropped; values are stored.
enum class DropReason : std::uint8_t {
  kNone = 0,
  kOperator = 1,        // deleted on the page
  kStoreFull = 2,       // evicted: lowest class, oldest first
  kTooLarge = 3,        // over config::kMaxPayload or the peer's limit
  kPolicy = 4,          // a rule or the built-in list says that it never leaves
  kRefused = 5,         // the peer or the sink refused it for good (why is in the log)
  kConsent = 6,         // withheld from a public sink
  kUnreadable = 7,      // its body is gone from the store (a damaged file)
  kUnknownGateway = 8,  // at a relay: for one that is not enrolled
};
inline constexpr DropReason kLastDropReason = DropReason::kUnknownGateway;
const char* to_string(State state);
const char* to_string(DropReason reason);

// What an edge (a broker, the API) hands over to be stored.
struct NewMessage {
  PeerId peer = kEdge;  // where it goes
  // Towards that peer, where one was set aside for it (message_numbers.hpp); 0: the store gives one.
  std::uint64_t number = 0;
  ClassId cls = 0;
  std::string node;  // who sent it; names the fair share. Empty: unknown
  std::string topic;
  Bytes payload;
  std::uint32_t kind = 0;  // with latest_only: same node and kind conflate; 0: never
  // Meshtastic (from << 32 | id): the same packet within 30 days is a copy and is not stored again. 0: no such
  // key.
  std::uint64_t packet = 0;
  Millis age{0};            // how old it was on arrival (a message from a peer has waited there)
  std::uint64_t sinks = 0;  // for the edge: bit i set = owed to sink i
  // Anything but kNone: counted as accepted and dropped at once, not stored.
  DropReason drop = DropReason::kNone;
  bool flagged = false;  // an emergency beyond its node's limit, carried as `message`
  // Set where it came over the link: with its number it makes the stable id towards the sinks.
  PeerId origin = kEdge;
  std::uint64_t origin_incarnation = 0;
  std::uint64_t origin_number = 0;
};

// What the scheduler knows of a queued message.
struct Entry {
  MessageId id = 0;
  std::uint64_t number = 0;  // towards its peer; 0 for the edge
  BootTime accepted{};       // in this boot's time; negative for what is older than the boot
  std::uint32_t bytes = 0;   // topic + payload
  std::uint32_t kind = 0;
  NodeId node = 0;
  ClassId cls = 0;
  bool flagged = false;
};

inline bool is_emergency(const Entry& entry) { return entry.cls == kEmergency; }

// A message with its body, read back to be sent.
struct Body {
  MessageId id = 0;
  std::string topic;
  Bytes payload;
};

}  // namespace tulpar::queue
