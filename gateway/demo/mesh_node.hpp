// SPDX-License-Identifier: Apache-2.0
//
// One simulated Meshtastic node: who it is, and how its battery, place and counters move on.
//
// Thread rule: plain value, one owner. Time goes in as simulated seconds; payloads come out as the bytes of
// Data.payload. Kinds, sizes and which fields are there follow the recorded traffic of a real mesh of 175
// senders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/demo/mesh_packet.hpp"
#include "gateway/demo/random.hpp"

namespace tulpar::demo {

class MeshNode {
 public:
  // The `index`-th of the mesh; 0 is the gateway node, which hears the others and is on mains power.
  MeshNode(std::size_t index, Random& random);

  NodeNum number() const { return number_; }
  const std::string& name() const { return long_name_; }
  const std::optional<std::uint32_t>& bitfield() const { return bitfield_; }
  // Unique per sender, as the firmware makes them: a counter of 10 bits under 22 random ones.
  std::uint32_t next_id(Random& random);
  // Hops and reception of a packet that arrives at the gateway node now.
  void describe_way(PacketFields& packet, Random& random) const;

  // `now`: seconds since 1970, not before the last one. `up`: seconds since the simulation began.
  std::string position(std::uint32_t now, double up, Random& random);
  std::string device_metrics(std::uint32_t now, double up, Random& random);
  std::string environment(std::uint32_t now, Random& random);
  std::string local_stats(std::uint32_t now, double up, std::size_t mesh_size, Random& random);
  std::string power(std::uint32_t now, double up, Random& random);
  std::string user() const;

  // "49.24170, 85.61300"
  std::string place() const;

 private:
  void walk(double up, Random& random);
  std::uint32_t uptime(double up) const { return static_cast<std::uint32_t>(boot_age_ + up); }
  double battery(double up) const;

  NodeNum number_;
  std::string long_name_, short_name_, public_key_;
  std::uint32_t hw_model_, role_;
  std::optional<std::uint32_t> bitfield_;
  std::uint32_t hop_start_, hops_;
  std::uint8_t relay_;
  double snr_, rssi_;
  bool radio_;  // heard over the air; false for the gateway node itself
  bool mobile_, satellites_;
  double latitude_, longitude_, altitude_;
  std::uint32_t precision_;
  double moved_at_ = 0;
  bool mains_;
  double charge_, drain_;  // percent, percent a second
  double boot_age_;
  double utilization_, air_;
  double temperature_, humidity_, pressure_;
  std::uint32_t sent_ = 0, id_counter_;
};

}  // namespace tulpar::demo
