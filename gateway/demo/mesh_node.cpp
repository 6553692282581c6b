// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/mesh_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <protozero/pbf_writer.hpp>

#include "gateway/demo/village.hpp"

namespace tulpar::demo {
namespace {

using protozero::pbf_writer;

constexpr std::uint32_t kMainsBattery = 101;  // DeviceMetrics.battery_level: externally powered
constexpr double kDegree = 111'320;           // metres of latitude

// T-Beam, T-Echo, RAK4631, Heltec V3, T114, T1000-E, Heltec V4
constexpr auto kModels = std::to_array<std::uint32_t>({4, 7, 9, 43, 69, 71, 110});

// Shares of Position.precision_bits in the recorded mesh: 13 41 %, 32 16 %, 17 14 %, 14 11 %, 15 7 %, rest 16.
std::uint32_t draw_precision(Random& random) {
  const double x = random.uniform();
  if (x < 0.41) return 13;
  if (x < 0.57) return 32;
  if (x < 0.71) return 17;
  if (x < 0.82) return 14;
  return x < 0.89 ? 15 : 16;
}

// ok_to_mqtt there: set 29 %, clear 44 %, absent 27 %.
std::optional<std::uint32_t> draw_bitfield(Random& random) {
  const double x = random.uniform();
  if (x < 0.27) return std::nullopt;
  return x < 0.56 ? 1 : 0;
}

// As the firmware coarsens a coordinate: the top `bits` and the middle of the cell.
std::int32_t coarsen(double degrees, std::uint32_t bits) {
  const auto exact = static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(degrees * 1e7)));
  if (bits >= 32) return static_cast<std::int32_t>(exact);
  return static_cast<std::int32_t>((exact & (~0u << (32 - bits))) + (1u << (31 - bits)));
}

float rounded(double value, double step) { return static_cast<float>(std::round(value / step) * step); }

double drift(double value, double step, double low, double high, Random& random) {
  return std::clamp(value + step * random.normal(), low, high);
}

}  // namespace

MeshNode::MeshNode(std::size_t index, Random& random)
    : number_(0x10000000 + random.next32() % 0xe0000000), radio_(index != 0) {
  short_name_ = fmt::format("{:04x}", number_ & 0xffff);
  // A third never changes the name that the firmware gives.
  const bool named = index < village_name_count() && !random.chance(1.0 / 3);
  long_name_ = named ? std::string(village_name(index)) : "Meshtastic " + short_name_;
  for (int i = 0; i < 32; ++i) public_key_.push_back(static_cast<char>(random.next() >> 56));
  hw_model_ = kModels[random.below(kModels.size())];
  role_ = random.chance(0.1) ? 2 : random.chance(0.1) ? 12 : 0;  // router, client base, client
  bitfield_ = draw_bitfield(random);
  hop_start_ = random.chance(0.7) ? 3 : random.chance(0.5) ? 5 : 7;
  hops_ = radio_ ? static_cast<std::uint32_t>(random.below(std::min(hop_start_, 4u) + 1)) : 0;
  relay_ = hops_ == 0 ? static_cast<std::uint8_t>(number_) : static_cast<std::uint8_t>(random.below(256));
  snr_ = random.between(-12, 9);
  rssi_ = std::round(-118 + 3 * (snr_ + 12) + random.between(-4, 4));
  mobile_ = radio_ && random.chance(0.3);
  satellites_ = random.chance(0.38);
  latitude_ = kVillageLatitude + 0.03 * random.normal();
  longitude_ = kVillageLongitude + 0.05 * random.normal();
  altitude_ = kVillageAltitude + 80 * random.normal();
  precision_ = draw_precision(random);
  mains_ = !radio_ || random.chance(0.25);
  charge_ = random.between(35, 100);
  drain_ = random.between(0.1, 0.6) / 3600;
  boot_age_ = random.exponential(9 * 86'400);
  utilization_ = random.between(2, 14);
  air_ = random.between(0.1, 2.5);
  temperature_ = random.between(-28, -12);
  humidity_ = random.between(55, 90);
  pressure_ = random.between(905, 925);
  id_counter_ = static_cast<std::uint32_t>(random.below(1024));
}

std::uint32_t MeshNode::next_id(Random& random) {
  ++sent_;
  id_counter_ = (id_counter_ + 1) & 0x3ff;
  return (random.next32() & ~0x3ffu) | id_counter_;
}

void MeshNode::describe_way(PacketFields& packet, Random& random) const {
  packet.hop_start = hop_start_;
  packet.hop_limit = hop_start_ - hops_;
  if (!radio_) return;
  const auto rssi = static_cast<std::int32_t>(std::lround(rssi_ + 2 * random.normal()));
  packet.heard = Reception{rounded(snr_ + random.normal(), 0.25), std::clamp(rssi, -135, -20), relay_};
}

void MeshNode::walk(double up, Random& random) {
  const double seconds = up - moved_at_;
  moved_at_ = up;
  if (!mobile_) return;
  // On foot, with no aim; never farther from the village than a day's walk.
  const double step = std::min(seconds * 0.7, 2'000.0) / kDegree;
  latitude_ = std::clamp(latitude_ + step * random.normal(), kVillageLatitude - 0.2, kVillageLatitude + 0.2);
  longitude_ =
      std::clamp(longitude_ + 1.5 * step * random.normal(), kVillageLongitude - 0.3, kVillageLongitude + 0.3);
}

// Falls slowly; an empty one is changed for a full one.
double MeshNode::battery(double up) const {
  const double used = drain_ * up;
  return charge_ > used ? charge_ - used : 100 - std::fmod(used - charge_, 90.0);
}

std::string MeshNode::position(std::uint32_t now, double up, Random& random) {
  walk(up, random);
  const bool fixed = !radio_;
  std::string out;
  pbf_writer writer(out);
  writer.add_sfixed32(1, coarsen(latitude_, precision_));
  writer.add_sfixed32(2, coarsen(longitude_, precision_));
  writer.add_int32(3, static_cast<std::int32_t>(std::lround(altitude_ + (mobile_ ? 3 * random.normal() : 0))));
  writer.add_fixed32(4, now);
  writer.add_uint32(5, fixed ? 1 : 2);
  if (satellites_ && !fixed) writer.add_uint32(11, static_cast<std::uint32_t>(random.between(90, 320)));
  if (!fixed) {
    writer.add_uint32(15, mobile_ ? static_cast<std::uint32_t>(random.below(3)) : 0);
    writer.add_uint32(16, mobile_ ? static_cast<std::uint32_t>(random.below(360)) * 100'000 : 0);
  }
  if (satellites_ && !fixed) writer.add_uint32(19, 5 + static_cast<std::uint32_t>(random.below(15)));
  writer.add_uint32(23, precision_);
  return out;
}

std::string MeshNode::device_metrics(std::uint32_t now, double up, Random& random) {
  utilization_ = drift(utilization_, 0.8, 0.5, 40, random);
  air_ = drift(air_, 0.1, 0.02, 8, random);
  const double level = battery(up);
  std::string metrics;
  pbf_writer inner(metrics);
  inner.add_uint32(1, mains_ ? kMainsBattery : static_cast<std::uint32_t>(std::lround(level)));
  inner.add_float(2, rounded(mains_ ? 4.2 + 0.02 * random.normal() : 3.3 + 0.009 * level, 0.001));
  inner.add_float(3, static_cast<float>(utilization_));
  inner.add_float(4, static_cast<float>(air_));
  inner.add_uint32(5, uptime(up));
  std::string out;
  pbf_writer writer(out);
  writer.add_fixed32(1, now);
  writer.add_message(2, metrics);
  return out;
}

std::string MeshNode::environment(std::uint32_t now, Random& random) {
  temperature_ = drift(temperature_, 0.2, -42, -2, random);
  humidity_ = drift(humidity_, 0.7, 30, 99, random);
  pressure_ = drift(pressure_, 0.15, 880, 940, random);
  std::string metrics;
  pbf_writer inner(metrics);
  inner.add_float(1, rounded(temperature_, 0.01));
  inner.add_float(2, rounded(humidity_, 0.01));
  inner.add_float(3, rounded(pressure_, 0.01));
  std::string out;
  pbf_writer writer(out);
  writer.add_fixed32(1, now);
  writer.add_message(3, metrics);
  return out;
}

std::string MeshNode::local_stats(std::uint32_t now, double up, std::size_t mesh_size, Random& random) {
  utilization_ = drift(utilization_, 0.8, 0.5, 40, random);
  const auto heard = static_cast<std::uint32_t>(up / 60 * static_cast<double>(mesh_size) / 30) + sent_ * 7;
  std::string stats;
  pbf_writer inner(stats);
  inner.add_uint32(1, uptime(up));
  inner.add_float(2, static_cast<float>(utilization_));
  inner.add_float(3, static_cast<float>(air_));
  inner.add_uint32(4, 120 + 3 * sent_);
  inner.add_uint32(5, 900 + heard);
  inner.add_uint32(6, 40 + heard / 20);
  inner.add_uint32(7, static_cast<std::uint32_t>(mesh_size - random.below(mesh_size / 4 + 1)));
  inner.add_uint32(8, static_cast<std::uint32_t>(mesh_size));
  inner.add_uint32(9, 300 + heard / 3);
  inner.add_uint32(12, 253'000);
  inner.add_uint32(13, 88'000 + static_cast<std::uint32_t>(random.below(4'000)));
  std::string out;
  pbf_writer writer(out);
  writer.add_fixed32(1, now);
  writer.add_message(6, stats);
  return out;
}

std::string MeshNode::power(std::uint32_t now, double up, Random& random) {
  std::string metrics;
  pbf_writer inner(metrics);
  inner.add_float(5, rounded(3.3 + 0.009 * battery(up), 0.004));
  inner.add_float(6, rounded(-6 + random.normal(), 0.1));
  std::string out;
  pbf_writer writer(out);
  writer.add_fixed32(1, now);
  writer.add_message(5, metrics);
  return out;
}

std::string MeshNode::user() const {
  std::string mac = "\xa4\xcf";
  for (int shift = 24; shift >= 0; shift -= 8) mac.push_back(static_cast<char>(number_ >> shift));
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, bridge::meshtastic::node_id(number_));
  writer.add_string(2, long_name_);
  writer.add_string(3, short_name_);
  writer.add_bytes(4, mac);
  writer.add_uint32(5, hw_model_);
  if (role_ != 0) writer.add_uint32(7, role_);
  writer.add_bytes(8, public_key_);
  return out;
}

std::string MeshNode::place() const { return fmt::format("{:.5f}, {:.5f}", latitude_, longitude_); }

}  // namespace tulpar::demo
