// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/mesh_simulator.hpp"

#include <map>
#include <protozero/pbf_reader.hpp>
#include <set>

#include "bridge/classifier.hpp"
#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "bridge/meshtastic/packet.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;
namespace meshtastic = tulpar::bridge::meshtastic;

namespace {

constexpr BootTime kStart{100s};
constexpr WallTime kWall{1'768'000'000s};  // January

const std::vector<config::Channel> kChannels{{.name = "LongFast", .psk = {1}}};

std::vector<MeshMessage> day_of(int nodes, std::uint64_t seed) {
  return MeshSimulator({.nodes = nodes, .seed = seed}, kStart, kWall).step(kStart + 24h);
}

std::uint32_t port_of(MeshKind kind) {
  switch (kind) {
    case MeshKind::kPosition:
      return meshtastic::kPosition;
    case MeshKind::kNodeInfo:
      return meshtastic::kNodeInfo;
    case MeshKind::kText:
      return meshtastic::kTextMessage;
    case MeshKind::kSos:
      return meshtastic::kAlert;
    case MeshKind::kOtherChannel:
      return 0;
    default:
      return meshtastic::kTelemetry;
  }
}

struct Tally {
  int count = 0;
  double envelope = 0, payload = 0;
  std::size_t smallest = 1000, largest = 0;
};

// Reads every message with the gateway's own reader.
std::map<MeshKind, Tally> tally(const std::vector<MeshMessage>& messages) {
  const auto keys = meshtastic::KeyRing::create(kChannels).value();
  std::map<MeshKind, Tally> result;
  for (const MeshMessage& message : messages) {
    const auto packet = meshtastic::inspect(message.topic, message.payload, keys);
    REQUIRE(packet.has_value());
    REQUIRE(packet->from == message.from);
    REQUIRE(packet->id == message.id);
    REQUIRE(packet->readable == (message.kind != MeshKind::kOtherChannel));
    REQUIRE(packet->port == port_of(message.kind));
    const std::size_t payload = packet->readable
                                    ? packet->payload.size()
                                    : meshtastic::decode_envelope(message.payload)->packet.encrypted.size();
    Tally& t = result[message.kind];
    ++t.count;
    t.envelope += static_cast<double>(message.payload.size());
    t.payload += static_cast<double>(payload);
    t.smallest = std::min(t.smallest, payload);
    t.largest = std::max(t.largest, payload);
  }
  for (auto& [kind, t] : result) {
    t.envelope /= t.count;
    t.payload /= t.count;
  }
  return result;
}

bool within(double value, double wanted, double part) { return std::abs(value - wanted) <= part * wanted; }

}  // namespace

TEST_CASE("a day of the mesh has the recorded rates, shares and sizes") {
  const auto seed = GENERATE(std::uint64_t{1}, std::uint64_t{2});
  auto kinds = tally(day_of(175, seed));
  const Tally telemetry = [&] {
    Tally sum;
    for (MeshKind kind :
         {MeshKind::kDeviceMetrics, MeshKind::kEnvironment, MeshKind::kLocalStats, MeshKind::kPower}) {
      const Tally& t = kinds[kind];
      sum.count += t.count;
      sum.envelope += t.count * t.envelope;
      sum.payload += t.count * t.payload;
    }
    sum.envelope /= sum.count;
    sum.payload /= sum.count;
    return sum;
  }();
  const Tally position = kinds[MeshKind::kPosition], other = kinds[MeshKind::kOtherChannel],
              text = kinds[MeshKind::kText];
  CAPTURE(position.count, position.envelope, position.payload, telemetry.count, telemetry.envelope,
          telemetry.payload, other.count, other.envelope, other.payload, text.count, text.envelope,
          text.payload);
  // An hour of the recording, its mean envelope and its mean payload.
  CHECK(within(position.count, 186 * 24, 0.05));
  CHECK(within(telemetry.count, 122 * 24, 0.05));
  CHECK(within(other.count, 59 * 24, 0.10));
  CHECK(within(text.count, 6.7 * 24, 0.30));
  CHECK(within(position.envelope, 108, 0.05));
  CHECK(within(telemetry.envelope, 99, 0.10));
  CHECK(within(other.envelope, 111, 0.05));
  CHECK(within(text.envelope, 114, 0.15));
  CHECK(within(position.payload, 29.9, 0.08));
  CHECK(within(telemetry.payload, 28.0, 0.08));
  CHECK(within(other.payload, 38.6, 0.08));
  CHECK(within(text.payload, 30.7, 0.35));
  CHECK(position.smallest >= 17);
  CHECK(position.largest <= 50);
  CHECK(text.largest <= 175);
  CHECK(within(kinds[MeshKind::kDeviceMetrics].count, 0.879 * telemetry.count, 0.05));
  CHECK(within(kinds[MeshKind::kEnvironment].count, 0.080 * telemetry.count, 0.15));
  CHECK(within(kinds[MeshKind::kLocalStats].count, 0.032 * telemetry.count, 0.30));
  CHECK(kinds[MeshKind::kPower].count > 0);
  CHECK(within(kinds[MeshKind::kNodeInfo].count, 0.17 * 175 * 24, 0.10));
}

TEST_CASE("the traffic grows with the nodes") {
  const auto few = day_of(10, 3).size(), many = day_of(100, 3).size();
  CHECK(within(static_cast<double>(few), (374.0 / 175 + 0.17) * 10 * 24, 0.15));
  CHECK(within(static_cast<double>(many), (374.0 / 175 + 0.17) * 100 * 24, 0.08));
  CHECK(day_of(1, 3).size() > 20);
}

TEST_CASE("no packet number is used twice by one sender, and hops and times are possible") {
  std::set<std::pair<NodeNum, std::uint32_t>> seen;
  std::uint32_t last = 0;
  for (const MeshMessage& message : day_of(40, 5)) {
    CHECK(seen.emplace(message.from, message.id).second);
    const auto envelope = meshtastic::decode_envelope(message.payload);
    REQUIRE(envelope.has_value());
    const meshtastic::MeshPacket& packet = envelope->packet;
    CHECK(packet.hop_start <= 7);
    CHECK(packet.hop_start >= packet.hop_limit);
    CHECK(packet.rx_time >= last);
    last = packet.rx_time;
    CHECK(packet.rx_rssi >= -135);
    CHECK(packet.rx_rssi <= 0);
  }
  const auto end = static_cast<std::uint32_t>((kWall.time_since_epoch() + 24h) / 1s);
  CHECK(last <= end);
  CHECK(last > end - 3600);
}

TEST_CASE("the same seed gives the same mesh, however it is stepped and however fast it runs") {
  const auto at_once = day_of(20, 9);
  MeshSimulator slow({.nodes = 20, .seed = 9}, kStart, kWall);
  MeshSimulator fast({.nodes = 20, .seed = 9, .speed = 240}, kStart, kWall);
  std::vector<MeshMessage> stepped, hurried;
  for (BootTime now = slow.next_wake(kStart); now <= kStart + 24h; now = slow.next_wake(now)) {
    const auto some = slow.step(now);
    REQUIRE_FALSE(some.empty());  // woken for something
    stepped.insert(stepped.end(), some.begin(), some.end());
  }
  for (BootTime now = fast.next_wake(kStart); now <= kStart + 6min; now = fast.next_wake(now)) {
    const auto some = fast.step(now);
    REQUIRE_FALSE(some.empty());
    hurried.insert(hurried.end(), some.begin(), some.end());
  }
  REQUIRE(stepped.size() == at_once.size());
  REQUIRE(hurried.size() == at_once.size());
  for (std::size_t i = 0; i < at_once.size(); ++i) {
    REQUIRE(stepped[i].payload == at_once[i].payload);
    REQUIRE(hurried[i].payload == at_once[i].payload);
  }
  const auto different = day_of(20, 10);
  CHECK(different.front().payload != at_once.front().payload);
}

TEST_CASE("a mesh that began in the past has its backlog ready") {
  MeshSimulator mesh({.nodes = 40}, kStart - 6h, kWall);
  CHECK(mesh.next_wake(kStart) == kStart);
  const auto backlog = mesh.step(kStart);
  CHECK(backlog.size() > 300);
  CHECK(mesh.step(kStart).empty());
  CHECK(mesh.next_wake(kStart) > kStart);
}

TEST_CASE("batteries fall slowly and uptimes grow") {
  const auto keys = meshtastic::KeyRing::create(kChannels).value();
  struct Last {
    std::uint32_t battery = 0, uptime = 0;
    int falls = 0, rises = 0;
  };
  std::map<NodeNum, Last> nodes;
  for (const MeshMessage& message : day_of(40, 11)) {
    if (message.kind != MeshKind::kDeviceMetrics) continue;
    const auto packet = meshtastic::inspect(message.topic, message.payload, keys);
    protozero::pbf_reader telemetry(as_text(packet->payload).data(), packet->payload.size());
    REQUIRE(telemetry.next(2));
    protozero::pbf_reader metrics = telemetry.get_message();
    REQUIRE(metrics.next(1));
    const std::uint32_t battery = metrics.get_uint32();
    REQUIRE(metrics.next(5));
    const std::uint32_t uptime = metrics.get_uint32();
    Last& last = nodes[message.from];
    if (last.uptime != 0) {
      CHECK(uptime >= last.uptime);
      last.falls += battery < last.battery;
      last.rises += battery > last.battery;
    }
    last.battery = battery;
    last.uptime = uptime;
  }
  int falling = 0;
  for (const auto& [number, last] : nodes) {
    falling += last.falls > 0;
    CHECK(last.rises <= 1);  // a change of battery
  }
  CHECK(falling > 10);
}

TEST_CASE("people write in three languages, answer and react") {
  const auto keys = meshtastic::KeyRing::create(kChannels).value();
  MeshSimulator mesh({.nodes = 175, .seed = 4}, kStart, kWall);
  bool kazakh = false, russian = false, english = false, reaction = false;
  std::set<std::uint32_t> texts;
  for (const MeshMessage& message : mesh.step(kStart + 48h)) {
    if (message.kind != MeshKind::kText) continue;
    const auto packet = meshtastic::inspect(message.topic, message.payload, keys);
    const auto text = packet->text();
    REQUIRE(text);  // valid UTF-8
    kazakh |= text->find("қ") != std::string_view::npos;
    russian |= text->find("ы") != std::string_view::npos;
    english |= text->find("snow") != std::string_view::npos;
    texts.insert(message.id);
    const auto envelope = meshtastic::decode_envelope(message.payload);
    const Bytes plain =
        *keys.open(envelope->packet.channel, message.from, message.id, envelope->packet.encrypted);
    const auto data = meshtastic::decode_data(plain);
    if (data->reply_id != 0) CHECK(texts.contains(data->reply_id));
    reaction |= data->emoji == 1;
  }
  CHECK(kazakh);
  CHECK(russian);
  CHECK(english);
  CHECK(reaction);
}

TEST_CASE("an SOS is an emergency to the gateway and says where") {
  MeshSimulator mesh({.nodes = 40}, kStart, kWall);
  mesh.step(kStart + 1h);
  const MeshMessage sos = mesh.sos(kStart + 1h, 7);
  CHECK(sos.kind == MeshKind::kSos);
  CHECK(sos.from == mesh.node(7).number());

  auto classifier =
      bridge::Classifier::create(config::default_classes(), {}, meshtastic::KeyRing::create(kChannels).value());
  REQUIRE(classifier.has_value());
  const auto verdict = classifier->classify(sos.topic, sos.payload, kStart);
  CHECK(verdict.cls == queue::kEmergency);
  CHECK(verdict.node == meshtastic::node_id(sos.from));

  const auto keys = meshtastic::KeyRing::create(kChannels).value();
  const auto packet = meshtastic::inspect(sos.topic, sos.payload, keys);
  CHECK(packet->text()->substr(0, 5) == "\aSOS ");
  CHECK_THAT(std::string(*packet->text()), Contains(mesh.node(7).place()));
  CHECK(packet->ok_to_mqtt == true);
  CHECK(mesh.sos(kStart + 1h, 7).id != sos.id);
  CHECK_THROWS(mesh.sos(kStart, 40));
}

TEST_CASE("a reply from the internet comes from nobody of the mesh and stays off the air") {
  MeshSimulator mesh({.nodes = 40}, kStart, kWall);
  const MeshMessage reply = mesh.reply(kStart, "Help is on the way");
  const auto envelope = meshtastic::decode_envelope(reply.payload);
  REQUIRE(envelope.has_value());
  CHECK(envelope->packet.hop_limit == 0);
  CHECK(envelope->gateway_id != mesh.gateway_id());
  for (std::size_t i = 0; i < mesh.size(); ++i) CHECK(mesh.node(i).number() != reply.from);
  const auto packet =
      meshtastic::inspect(reply.topic, reply.payload, meshtastic::KeyRing::create(kChannels).value());
  CHECK(packet->text() == "Help is on the way");
}

TEST_CASE("the mesh publishes as much as it says, and replies where it says") {
  for (const int nodes : {10, 40, 200}) {
    const double expected = 24 * MeshSimulator::messages_per_hour(nodes);
    const auto counted = static_cast<double>(day_of(nodes, 7).size());
    CAPTURE(nodes, expected, counted);
    CHECK(std::abs(counted / expected - 1) < 0.1);
  }
  MeshSimulator mesh({.nodes = 3}, kStart, kWall);
  CHECK(mesh.reply(kStart, "ok").topic == mesh.reply_topic());
  CHECK(mesh.reply_topic().starts_with("msh/"));
}
