// SPDX-License-Identifier: Apache-2.0
//
// A simulated Meshtastic mesh: what its gateway node publishes over MQTT, with the shares, sizes and rates that
// were recorded on a real one. For the demo, and the source of traffic for tests.
//
// Thread rule: one owner. Pure: driven by next_wake and step; the same seed and start give the same bytes.
// Rates: 374 packets an hour from 175 senders, one gateway (positions, telemetry, texts, channels that cannot
// be opened), and node info, which was recorded elsewhere. Encrypted with the default channel key ("AQ==").
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/meshtastic/crypto.hpp"
#include "config/base.hpp"
#include "gateway/demo/mesh_node.hpp"
#include "gateway/demo/random.hpp"

namespace tulpar::demo {

enum class MeshKind : std::uint8_t {
  kPosition,
  kDeviceMetrics,
  kEnvironment,
  kLocalStats,
  kPower,
  kNodeInfo,
  kOtherChannel,  // encrypted with a key that nobody here has
  kText,
  kSos,
};

struct MeshMessage {
  MeshKind kind;
  NodeNum from;
  std::uint32_t id;
  std::string topic;
  Bytes payload;
  std::string words{};  // what a person wrote; empty: only machines talk
};

struct MeshOptions {
  int nodes = 40;  // that send, 1..2000; the traffic grows with them
  std::uint64_t seed = 1;
  double speed = 1;  // simulated seconds a second, 0.1..10000
  std::string root = "msh/KZ_863";
  std::string channel = "LongFast";
};

class MeshSimulator {
 public:
  // The mesh lives from `start` on; `wall` is what its clocks show then. A `start` in the past makes a backlog:
  // the first step gives all of it.
  MeshSimulator(MeshOptions options, BootTime start, WallTime wall);

  BootTime next_wake(BootTime now) const;
  // What was published by `now`, in order.
  std::vector<MeshMessage> step(BootTime now);

  // An alert, with the bell and where its sender is. `node`: 0..nodes-1, or one of them at random.
  MeshMessage sos(BootTime now, std::optional<std::size_t> node = std::nullopt);
  // A text from a virtual node on the internet's side, to be published for the mesh to hear; not repeated on
  // the air.
  MeshMessage reply(BootTime now, std::string_view text);

  // Of a mesh of that size, an hour of its own time; the mean.
  static double messages_per_hour(int nodes);
  // Of every reply().
  std::string reply_topic() const;
  std::size_t size() const { return nodes_.size(); }
  const MeshNode& node(std::size_t index) const { return nodes_.at(index); }
  // "!7efeee00": who publishes.
  const std::string& gateway_id() const { return gateway_id_; }

 private:
  struct Stream {
    MeshKind kind;
    std::size_t node;
    double interval;  // mean, simulated milliseconds
    bool regular;     // else at random moments
  };
  struct Due {
    std::int64_t at;  // simulated milliseconds
    std::size_t stream;
    bool operator>(const Due& other) const { return std::pair(at, stream) > std::pair(other.at, other.stream); }
  };
  struct OtherChannel {
    std::string name;
    std::uint8_t hash;
    std::vector<MeshNode> nodes;
  };

  void add_streams(MeshKind kind, double per_hour, double spread, std::size_t every);
  void schedule(std::size_t stream, std::int64_t after, double wait);
  std::int64_t simulated(BootTime now) const;
  std::uint32_t wall_seconds(std::int64_t at) const;

  PacketFields packet_of(MeshNode& node, std::int64_t at);
  MeshMessage publish(const Stream& stream, std::int64_t at);
  MeshMessage other_channel(std::int64_t at);
  MeshMessage text(MeshNode& node, std::int64_t at);
  DataFields data_of(const Stream& stream, std::int64_t at);
  MeshMessage seal(MeshKind kind, PacketFields packet, const DataFields& data,
                   std::string_view publisher) const;

  MeshOptions options_;
  BootTime start_;
  WallTime wall_;
  Random random_;
  bridge::meshtastic::ChannelKey key_;
  std::vector<MeshNode> nodes_;
  OtherChannel other_;
  std::string gateway_id_;
  std::vector<Stream> streams_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint32_t last_text_ = 0;
  std::size_t cries_ = 0;
  NodeNum virtual_node_;
};

}  // namespace tulpar::demo
