// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/mesh_simulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "bridge/meshtastic/data.hpp"
#include "gateway/demo/village.hpp"

namespace tulpar::demo {
namespace {

namespace meshtastic = bridge::meshtastic;

// Packets an hour and sender: BerlinMesh, 175 senders, 5.36 h, one gateway.
constexpr double kPositions = 186.0 / 175;
constexpr double kTelemetry = 122.0 / 175;
constexpr double kUnreadable = 59.0 / 175;
constexpr double kTexts = 6.7 / 175;
// 7.5 % of what the same mesh sent on its primary channel.
constexpr double kNodeInfos = 0.17;
// Variants of telemetry.
constexpr double kDeviceShare = 0.879, kEnvironmentShare = 0.080, kLocalStatsShare = 0.032, kPowerShare = 0.009;
// Some nodes send every minute, most every hour: the logarithm of their rates deviates by about this much.
constexpr double kPositionSpread = 1.6, kTelemetrySpread = 1.8, kTextSpread = 1.0;

constexpr double kHour = 3'600'000;  // milliseconds
// MeshPacket.Priority, as the firmware sets it.
constexpr std::uint32_t kPriorityHigh = 100, kPriorityAlert = 110;
constexpr std::string_view kOtherName = "Otbasy";

meshtastic::ChannelKey default_key(const std::string& channel) {
  const std::uint8_t psk = 1;
  return {channel, meshtastic::expand_psk(ByteView(&psk, 1)).value()};
}

}  // namespace

MeshSimulator::MeshSimulator(MeshOptions options, BootTime start, WallTime wall)
    : options_(std::move(options)),
      start_(start),
      wall_(wall),
      random_(options_.seed),
      key_(default_key(options_.channel)) {
  const auto count = static_cast<std::size_t>(std::max(1, options_.nodes));
  for (std::size_t i = 0; i < count; ++i) nodes_.emplace_back(i, random_);
  gateway_id_ = meshtastic::node_id(nodes_[0].number());
  virtual_node_ = 0x10000000 + random_.next32() % 0xe0000000;
  other_ = {std::string(kOtherName), static_cast<std::uint8_t>(1 + random_.below(255)), {}};
  for (std::size_t i = 0; i < count / 5 + 2; ++i) other_.nodes.emplace_back(i + 1, random_);

  add_streams(MeshKind::kPosition, kPositions, kPositionSpread, 1);
  add_streams(MeshKind::kDeviceMetrics, kTelemetry * kDeviceShare, kTelemetrySpread, 1);
  add_streams(MeshKind::kEnvironment, kTelemetry * kEnvironmentShare, 0.5, 5);
  add_streams(MeshKind::kLocalStats, kTelemetry * kLocalStatsShare, 0.5, 8);
  add_streams(MeshKind::kPower, kTelemetry * kPowerShare, 0.3, 20);
  add_streams(MeshKind::kNodeInfo, kNodeInfos, 0.3, 1);
  add_streams(MeshKind::kText, kTexts, kTextSpread, 1);
  add_streams(MeshKind::kOtherChannel, kUnreadable, 0, nodes_.size());
}

double MeshSimulator::messages_per_hour(int nodes) {
  return nodes * (kPositions + kTelemetry + kUnreadable + kTexts + kNodeInfos);
}

std::string MeshSimulator::reply_topic() const {
  return envelope_topic(options_.root, options_.channel, meshtastic::node_id(virtual_node_));
}

// Every `every`-th node sends this kind; together they send `per_hour` for each node of the mesh.
void MeshSimulator::add_streams(MeshKind kind, double per_hour, double spread, std::size_t every) {
  std::vector<double> weights;
  for (std::size_t i = 0; i < nodes_.size(); i += every) {
    weights.push_back(std::exp(spread * std::clamp(random_.normal(), -3.0, 3.0)));
  }
  double sum = 0;
  for (const double weight : weights) sum += weight;
  const bool regular = kind != MeshKind::kText && kind != MeshKind::kOtherChannel;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double rate = per_hour * static_cast<double>(nodes_.size()) * weights[i] / sum;
    streams_.push_back({kind, i * every, kHour / rate, regular});
    schedule(
        streams_.size() - 1, 0,
        regular ? streams_.back().interval * random_.uniform() : random_.exponential(streams_.back().interval));
  }
}

void MeshSimulator::schedule(std::size_t stream, std::int64_t after, double wait) {
  due_.push({after + std::max<std::int64_t>(1, std::llround(wait)), stream});
}

std::int64_t MeshSimulator::simulated(BootTime now) const {
  return static_cast<std::int64_t>(std::floor(static_cast<double>((now - start_).count()) * options_.speed));
}

std::uint32_t MeshSimulator::wall_seconds(std::int64_t at) const {
  return static_cast<std::uint32_t>((wall_.time_since_epoch().count() + at) / 1000);
}

BootTime MeshSimulator::next_wake(BootTime now) const {
  const double wait = std::ceil(static_cast<double>(due_.top().at) / options_.speed);
  return std::max(now, start_ + Millis(static_cast<std::int64_t>(wait)));
}

std::vector<MeshMessage> MeshSimulator::step(BootTime now) {
  std::vector<MeshMessage> messages;
  const std::int64_t until = simulated(now);
  while (due_.top().at <= until) {
    const Due due = due_.top();
    due_.pop();
    const Stream& stream = streams_[due.stream];
    messages.push_back(publish(stream, due.at));
    schedule(
        due.stream, due.at,
        stream.regular ? stream.interval * random_.between(0.9, 1.1) : random_.exponential(stream.interval));
  }
  return messages;
}

PacketFields MeshSimulator::packet_of(MeshNode& node, std::int64_t at) {
  PacketFields packet{.from = node.number(), .id = node.next_id(random_), .rx_time = wall_seconds(at)};
  node.describe_way(packet, random_);
  return packet;
}

MeshMessage MeshSimulator::publish(const Stream& stream, std::int64_t at) {
  if (stream.kind == MeshKind::kOtherChannel) return other_channel(at);
  MeshNode& node = nodes_[stream.node];
  if (stream.kind == MeshKind::kText) return text(node, at);
  const PacketFields packet = packet_of(node, at);
  return seal(stream.kind, packet, data_of(stream, at), gateway_id_);
}

DataFields MeshSimulator::data_of(const Stream& stream, std::int64_t at) {
  MeshNode& node = nodes_[stream.node];
  const double up = static_cast<double>(at) / 1000;
  const std::uint32_t now = wall_seconds(at);
  DataFields data{.port = meshtastic::kTelemetry, .bitfield = node.bitfield()};
  switch (stream.kind) {
    case MeshKind::kPosition:
      data.port = meshtastic::kPosition;
      data.payload = node.position(now, up, random_);
      break;
    case MeshKind::kNodeInfo:
      data.port = meshtastic::kNodeInfo;
      data.payload = node.user();
      break;
    case MeshKind::kEnvironment:
      data.payload = node.environment(now, random_);
      break;
    case MeshKind::kLocalStats:
      data.payload = node.local_stats(now, up, nodes_.size(), random_);
      break;
    case MeshKind::kPower:
      data.payload = node.power(now, up, random_);
      break;
    default:
      data.payload = node.device_metrics(now, up, random_);
  }
  return data;
}

MeshMessage MeshSimulator::text(MeshNode& node, std::int64_t at) {
  DataFields data{.port = meshtastic::kTextMessage, .bitfield = node.bitfield()};
  data.payload = village_text(random_);
  if (last_text_ != 0 && random_.chance(0.25)) {
    data.reply_id = last_text_;
    data.emoji = random_.chance(0.4);
    if (data.emoji) data.payload = "👍";
  }
  PacketFields packet = packet_of(node, at);
  packet.priority = kPriorityHigh;
  if (!data.emoji) last_text_ = packet.id;
  MeshMessage message = seal(MeshKind::kText, packet, data, gateway_id_);
  message.words = data.payload;
  return message;
}

// A channel of a few families with a key of their own: noise to everybody else.
MeshMessage MeshSimulator::other_channel(std::int64_t at) {
  PacketFields packet = packet_of(other_.nodes[random_.below(other_.nodes.size())], at);
  packet.channel_hash = other_.hash;
  // Mean 38.6 bytes, as recorded.
  Bytes cipher(std::min<std::size_t>(18 + static_cast<std::size_t>(random_.exponential(21)), 200));
  for (std::uint8_t& byte : cipher) byte = static_cast<std::uint8_t>(random_.next() >> 56);
  return {MeshKind::kOtherChannel, packet.from, packet.id,
          envelope_topic(options_.root, other_.name, gateway_id_),
          encode_envelope(packet, cipher, other_.name, gateway_id_)};
}

MeshMessage MeshSimulator::seal(MeshKind kind, PacketFields packet, const DataFields& data,
                                std::string_view publisher) const {
  packet.channel_hash = key_.hash();
  const Bytes cipher = key_.crypt(packet.from, packet.id, as_bytes(encode_data(data)));
  return {kind, packet.from, packet.id, envelope_topic(options_.root, options_.channel, publisher),
          encode_envelope(packet, cipher, options_.channel, publisher)};
}

MeshMessage MeshSimulator::sos(BootTime now, std::optional<std::size_t> index) {
  MeshNode& node = nodes_.at(index ? *index : random_.below(nodes_.size()));
  const std::string_view words = village_emergency(cries_++);
  // The bell rings at whoever reads it.
  const DataFields data{
      .port = meshtastic::kAlert, .payload = fmt::format("\aSOS {}: {}", node.place(), words), .bitfield = 1};
  PacketFields packet = packet_of(node, simulated(now));
  packet.priority = kPriorityAlert;
  MeshMessage message = seal(MeshKind::kSos, packet, data, gateway_id_);
  message.words = words;
  return message;
}

MeshMessage MeshSimulator::reply(BootTime now, std::string_view text) {
  const DataFields data{.port = meshtastic::kTextMessage, .payload = std::string(text), .bitfield = 1};
  const PacketFields packet{.from = virtual_node_,
                            .id = random_.next32() | 1,
                            .rx_time = wall_seconds(simulated(now)),
                            .hop_limit = 0,
                            .hop_start = 0};
  return seal(MeshKind::kText, packet, data, meshtastic::node_id(virtual_node_));
}

}  // namespace tulpar::demo
