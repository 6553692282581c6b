// SPDX-License-Identifier: Apache-2.0
//
// The configuration as typed values, with the defaults; one struct a table of the TOML file (CONTRACT.md).
//
// Plain values: built once by the loader (load.hpp), then read by any thread. A default stands here and nowhere
// else; the sample files are compared with it by a test.
// Units: durations in milliseconds, sizes in bytes, rates in bits a second, money in billionths of the currency
// unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base.hpp"

namespace tulpar::config {

using ByteSize = std::uint64_t;
using BitRate = std::uint64_t;
using Money = std::int64_t;  // billionths of the currency unit

// A message larger than this is refused at every entrance: it is the largest payload that a batch can carry.
inline constexpr ByteSize kMaxPayload = 1u << 20;
// MQTT's own limit for a topic (MQTT 5.0, 1.5.4).
inline constexpr ByteSize kMaxTopic = 65'535;
// What a message owes to which sink is one bit of a 64-bit word that is stored as a signed one
// (queue::NewMessage::sinks).
inline constexpr std::size_t kMaxSinks = 63;
// A class is one byte in stored messages; more classes than this nobody can keep apart.
inline constexpr std::size_t kMaxClasses = 32;

// TLS towards a broker.
struct MqttTls {
  bool enabled = false;
  std::string ca;    // PEM file; empty: the system's trust store
  std::string cert;  // PEM file of the client's certificate; empty: none
  std::string key;
  bool insecure = false;  // do not check the broker's name
  bool operator==(const MqttTls&) const = default;
};

// A broker, and what is subscribed there.
struct Mqtt {
  std::string host;  // empty: managed, Tulpar runs a mosquitto of its own
  std::uint16_t port = 1883;
  std::string username;
  std::string password;
  MqttTls tls;
  std::vector<std::string> topics = {"msh/#", "mesh/#"};
  // Managed broker only.
  std::string listen = "0.0.0.0:1883";
  struct User {
    std::string name;
    std::string password;
    std::vector<std::string> topics = {"#"};  // what this user may publish and subscribe
    bool operator==(const User&) const = default;
  };
  std::vector<User> users;  // empty: anyone may connect
  bool managed() const { return host.empty(); }
  bool operator==(const Mqtt&) const = default;
};

// A Meshtastic channel key known here. `psk` is base64 as in the apps: 0, 1, 16 or 32 bytes.
struct Channel {
  std::string name;
  Bytes psk;
  bool operator==(const Channel&) const = default;
};

// First match wins; every given condition must hold.
struct Rule {
  std::string topic = "#";  // MQTT filter with + and #
  std::string cls;          // the class that it gives (key `class`); empty with drop
  bool drop = false;        // never carry it, counted with reason `policy`
  int node = 2;             // topic level that names the node where the payload does not; 1 is the first
  std::optional<std::uint32_t> port;           // Meshtastic port number
  std::string channel;                         // Meshtastic channel name
  std::string from;                            // Meshtastic sender, "!7efeee00"
  std::optional<ByteSize> min_size, max_size;  // payload, inclusive
  bool operator==(const Rule&) const = default;
};

// What happens to a class when the plan is used up.
enum class OverQuota { kAlways, kToTheEnd, kPaced, kSlowedFirst, kLeftOver };

// A class of messages; the order in the list is the order of urgency.
struct MessageClass {
  std::string name;
  std::uint32_t weight = 10;    // share among the classes that are ready, 1..1000
  double minimum_share = 0.05;  // guaranteed part of the link while this class has work, 0..0.5
  Millis hold{0};               // waits for company at most this long
  Millis ttl{0};                // 0: kept until delivered
  bool latest_only = false;     // only the latest of a node and kind is kept
  OverQuota over_quota = OverQuota::kPaced;
  bool operator==(const MessageClass&) const = default;
};

// The five classes of the design, in order of urgency; the first is always the emergency class. Weights only
// order what is ready at the same time: each class gets about twice the next one's share.
std::vector<MessageClass> default_classes();

struct PlanCycle {
  int reset_day = 1;         // 1..31; 31 is the month's last day
  int reset_minute = 0;      // minutes after midnight, local time of `zone`
  std::string zone = "UTC";  // IANA name
  bool operator==(const PlanCycle&) const = default;
};

// The first plan: a volume a month. (The full rate card takes this struct's place; nobody but `queue/plan.hpp`
// reads it.) The file's `over` and `spend_limit` are folded into `hard_cap` by the loader: with over = "hold"
// it is at most `included`, with a spend_limit at most what that buys.
struct Plan {
  std::string currency = "USD";
  ByteSize included = 0;
  Money price = 0;  // of each `per` beyond the included volume
  ByteSize per = 1'000'000;
  std::optional<ByteSize> hard_cap;  // nothing but emergency beyond it
  double soft_cap = 0.8;             // part of `included` from which the operator is warned, 0..1
  // Withheld for emergency from the cycle's first byte. Not given: this, but at most a tenth of the volume.
  ByteSize reserve = 1'000'000;
  PlanCycle cycle;
  bool operator==(const Plan&) const = default;
};

enum class Downlink { kAlways, kAfterUplink, kWindow };

struct Link {
  std::string name = "sat";
  std::string transport = "tls";
  std::string enrolment_file;
  BitRate rate = 9600;  // 300..1e9
  Downlink downlink = Downlink::kAlways;
  std::optional<Plan> plan;  // none: bytes are counted, nothing is limited
  std::string plan_name;     // the preset that the plan is, or is built on; empty: none
  bool operator==(const Link&) const = default;
};

struct Web {
  std::string listen = "127.0.0.1:8480";  // empty: no page on TCP
  std::string tls = "auto";               // auto | off | files
  std::string cert{}, key{};  // with tls = { cert, key }; initializers for the designated ones below
  bool operator==(const Web&) const = default;
};

struct Storage {
  ByteSize max_size = 1'000'000'000;                // of the queue's payloads; 5 % of it is for emergency alone
  Millis keep_delivered = std::chrono::hours(1);    // payloads are erased this long after delivery
  Millis keep_story = std::chrono::hours(24 * 14);  // the row of a finished message
  bool operator==(const Storage&) const = default;
};

struct Gateway {
  std::string name;
  std::string state_dir = "/var/lib/tulpar";
  Mqtt mqtt;
  std::vector<Channel> channels;
  std::vector<Rule> rules;
  std::vector<MessageClass> classes = default_classes();
  std::vector<Link> links;  // exactly one for now
  Web web;
  Storage storage;
  bool operator==(const Gateway&) const = default;
};

enum class Audience { kPrivate, kPublic };

struct Sink {
  // What is owed to it is kept under this name: host, port and prefix may be corrected. The loader gives
  // "sink-1", "sink-2", ... by position where the file gives none.
  std::string name;
  std::string type = "mqtt";
  std::string host = "127.0.0.1";
  std::uint16_t port = 1883;
  std::string username, password;
  MqttTls tls;
  std::string prefix;                // may hold {gateway}
  std::optional<Audience> audience;  // none given: private where the host is loopback or a private address
  bool rescue = false;
  bool operator==(const Sink&) const = default;
};
// The audience given, or else told by the host.
Audience audience_of(const Sink& sink);

struct Source {
  std::string type = "mqtt";
  std::string host = "127.0.0.1";
  std::uint16_t port = 1883;
  std::string username, password;
  MqttTls tls;
  std::string prefix = "down/{gateway}/";
  bool operator==(const Source&) const = default;
};

struct Relay {
  std::string name;
  std::string state_dir = "/var/lib/tulpar-relay";
  std::vector<Channel> channels;
  std::vector<Rule> rules;
  std::vector<MessageClass> classes = default_classes();
  struct Listen {
    std::string tls = "0.0.0.0:7700";
    std::string udp;  // accepted; not yet served
    bool operator==(const Listen&) const = default;
  } listen;
  std::vector<Sink> sinks;
  std::vector<Source> sources;
  Web web{.listen = "127.0.0.1:8481"};
  Storage storage;
  bool operator==(const Relay&) const = default;
};

}  // namespace tulpar::config
