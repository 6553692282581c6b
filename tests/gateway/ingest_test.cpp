// SPDX-License-Identifier: Apache-2.0
#include "gateway/ingest.hpp"

#include "bridge/fingerprint.hpp"
#include "tests/gateway/station_bench.hpp"

namespace tulpar {
namespace {

struct Fixture : StationBench {
  queue::PeerId peer = write([](queue::Store& store) { return store.peer("relay"); });
  std::vector<queue::Accepted> accepted;
  std::vector<std::string> topics;  // of what was handed on with them
  std::vector<std::string> judged;
  Ingest ingest{station(), "mesh",
                [this](queue::NewMessage& message) {
                  judged.push_back(message.topic);
                  message = station().judge(message.topic, std::move(message.payload));
                  message.peer = peer;
                  if (message.topic == "sos") message.cls = queue::kEmergency;
                  if (message.topic == "later") return Ingest::Way::kLater;
                  return message.topic == "nobody" ? Ingest::Way::kNobody : Ingest::Way::kStored;
                },
                [this](const auto& stored, const auto& messages) {
                  accepted = stored;
                  for (const auto& message : messages) topics.push_back(message.topic);
                }};

  static bridge::MqttMessage published(const std::string& topic, const Bytes& payload, std::uint16_t mid = 0) {
    bridge::MqttMessage message;
    message.topic = topic;
    message.payload = payload;
    message.mid = mid;
    message.fingerprint = 1000u + mid;
    return message;
  }
  static bridge::MqttMessage published(const std::string& topic, std::uint16_t mid = 0) {
    return published(topic, test::to_bytes("x"), mid);
  }
  // What the broker is told: true, acknowledged.
  bool take(std::vector<bridge::MqttMessage> group) {
    std::optional<bool> answer;
    ingest.take(std::move(group), [&](bool stored) {
      CHECK_FALSE(answer);
      answer = stored;
    });
    REQUIRE(until([&] { return answer.has_value(); }));
    return *answer;
  }
  std::int64_t messages() { return query("SELECT count(*) FROM message"); }
  std::vector<std::uint16_t> marks(const std::string& source) {
    std::vector<std::uint16_t> packets;
    for (const auto& mark : write([&](queue::Store& store) { return store.marks(source); })) {
      CHECK(mark.fingerprint == 1000u + mark.packet);
      packets.push_back(mark.packet);
    }
    return packets;
  }
};

using Marks = std::vector<std::uint16_t>;

}  // namespace

TEST_CASE_METHOD(Fixture, "Ingest: nothing is acknowledged before it is on disk") {
  queue::Database other(station().store_file(), queue::Database::Mode::kReadWrite);
  other.execute("BEGIN IMMEDIATE");  // the disk is busy
  std::optional<std::int64_t> on_disk;
  ingest.take({published("a", 1), published("b", 2)}, [&](bool stored) { on_disk = stored ? messages() : -1; });
  test::settle(loop);
  CHECK_FALSE(on_disk);
  CHECK(accepted.empty());
  other.execute("COMMIT");
  REQUIRE(until([&] { return on_disk.has_value(); }));
  CHECK(*on_disk == 2);
  CHECK(accepted.size() == 2);
}

TEST_CASE_METHOD(Fixture,
                 "Ingest: what the store refuses is not acknowledged, not handed on, and can come again") {
  refuse("message");
  CHECK_FALSE(take({published("a", 1), published("b", 2)}));
  CHECK(accepted.empty());
  relent();
  CHECK(messages() == 0);
  CHECK(query("SELECT count(*) FROM book") == 0);
  CHECK(marks("mesh").empty());  // else its redelivery would be taken for a copy
  CHECK(take({published("a", 1), published("b", 2)}));
  CHECK(messages() == 2);
  CHECK(accepted.size() == 2);
}

TEST_CASE_METHOD(Fixture, "Ingest: a group is stored whole or not at all") {
  meddle(
      "CREATE TRIGGER one BEFORE INSERT ON message WHEN new.topic = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END");
  CHECK_FALSE(take({published("a", 1), published("b", 2), published("c", 3)}));
  CHECK(messages() == 0);
  CHECK(marks("mesh").empty());
}

TEST_CASE_METHOD(Fixture, "Ingest: each answer stands beside its message") {
  CHECK(take({published("nobody", 1), published("a", 2), published("nobody", 3), published("b", 4)}));
  CHECK(topics == std::vector<std::string>{"a", "b"});
  REQUIRE(accepted.size() == 2);
  CHECK(accepted[0].entry.id == 1);
  CHECK(accepted[1].entry.id == 2);
  CHECK(query("SELECT count(*) FROM message WHERE peer = " + std::to_string(peer)) == 2);
}

TEST_CASE_METHOD(Fixture, "Ingest: what nobody is to have is acknowledged, and remembered as seen") {
  CHECK(take({published("nobody", 7)}));
  CHECK(messages() == 0);
  CHECK(marks("mesh") == Marks{7});
  CHECK(take({}));
}

TEST_CASE_METHOD(Fixture, "Ingest: a group with one that has to wait stays with the broker, whole") {
  CHECK_FALSE(take({published("one", 7), published("later", 8)}));
  CHECK(messages() == 0);
  CHECK(marks("mesh").empty());
  CHECK(accepted.empty());
}

TEST_CASE_METHOD(Fixture,
                 "Ingest: what may be delivered again is remembered with it, by source; QoS 0 never is") {
  CHECK(take({published("a", 5), published("b"), published("c", 6)}));
  CHECK(take({published("d", 5)}));
  CHECK(marks("mesh") == Marks{5, 6, 5});
  CHECK(marks("other").empty());
}

TEST_CASE_METHOD(Fixture, "Ingest: a packet that several gateways heard is stored once") {
  const std::string topic = "msh/EU_868/2/e/LongFast/!0000000";
  const auto packet = mesh_packet(9);
  CHECK(take({published(topic + "1", packet, 1), published(topic + "2", packet, 2)}));
  REQUIRE(accepted.size() == 2);
  CHECK_FALSE(accepted[0].duplicate);
  CHECK(accepted[1].duplicate);
  CHECK(accepted[1].entry.id == 0);
  CHECK(take({published(topic + "3", packet, 3)}));
  CHECK(accepted.at(0).duplicate);
  CHECK(messages() == 1);
  CHECK(query("SELECT sum(duplicates) FROM book") == 2);
}

TEST_CASE_METHOD(Fixture, "Ingest: the same text twice is news, not a copy") {
  CHECK(take({published("a", 1), published("a", 2)}));
  CHECK(messages() == 2);
}

TEST_CASE_METHOD(Fixture,
                 "Ingest: what never leaves, or is too large, is counted with its reason and acknowledged") {
  const auto admin = mesh_packet(1, 6);
  CHECK(take({published("msh/EU_868/2/e/LongFast/!00000001", admin, 1),
              published("a", Bytes(config::kMaxPayload + 1), 2)}));
  CHECK(messages() == 0);
  CHECK(query("SELECT sum(accepted) FROM book") == 2);
  CHECK(query("SELECT count FROM drops WHERE reason = 4") == 1);
  CHECK(query("SELECT count FROM drops WHERE reason = 3") == 1);
}

TEST_CASE_METHOD(Fixture, "Ingest: an emergency that is delivered again is not judged, and charged, again") {
  refuse("message");
  CHECK_FALSE(take({published("sos", 1), published("a", 2)}));
  CHECK_FALSE(take({published("sos", 1), published("later", 3)}));
  relent();
  CHECK(take({published("sos", 1)}));
  CHECK(judged == std::vector<std::string>{"sos", "a", "later"});
  CHECK(query("SELECT count(*) FROM body WHERE payload = x'78'") == 1);
  CHECK(take({published("sos", 1)}));
  CHECK(judged.size() == 4);
}

TEST_CASE_METHOD(Fixture,
                 "Ingest: an emergency that the store refuses goes from memory, and is stored as sent") {
  std::vector<queue::NewMessage> sent;
  std::vector<std::uint64_t> given_up;
  std::uint64_t number = 65'300;
  Lifeline lifeline{{.number = [&] { return std::optional(number++); },
                     .send = [&](const queue::NewMessage& message) { sent.push_back(message); },
                     .give_up = [&](std::uint64_t one) { given_up.push_back(one); },
                     .listen = [](bool) {}}};
  Ingest careful{station(), "mesh",
                 [this](queue::NewMessage& message) {
                   message = station().judge(message.topic, std::move(message.payload));
                   message.peer = peer;
                   if (message.topic == "sos") message.cls = queue::kEmergency;
                   return Ingest::Way::kStored;
                 },
                 [this](const auto& stored, const auto&) { accepted = stored; }, &lifeline};
  const auto give = [&](std::vector<bridge::MqttMessage> group) {
    std::optional<bool> answer;
    careful.take(std::move(group), [&](bool stored) { answer = stored; });
    REQUIRE(until([&] { return answer.has_value(); }));
    return *answer;
  };
  refuse("message");
  CHECK_FALSE(give({published("a", 1), published("sos", 2)}));
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].topic == "sos");
  CHECK(sent[0].payload == test::to_bytes("x"));
  CHECK_FALSE(give({published("a", 1), published("sos", 2)}));
  careful.overhear(published("sos", 2));  // the same, heard beside it
  CHECK(sent.size() == 1);
  careful.overhear(published("sos", 3));
  CHECK(sent.size() == 2);
  relent();
  CHECK(give({published("a", 1), published("sos", 2), published("sos", 3)}));
  REQUIRE(accepted.size() == 3);
  CHECK(accepted[0].entry.number < 65'280);
  CHECK(accepted[1].entry.number == sent[0].number);
  CHECK(accepted[2].entry.number == sent[1].number);
  CHECK(sent.size() == 2);
  CHECK(given_up.empty());
}

}  // namespace tulpar
