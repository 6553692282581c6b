// SPDX-License-Identifier: Apache-2.0
#include "bridge/broker_files.hpp"

#include <openssl/evp.h>

#include <sstream>

#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

const BrokerPlace kPlace{.dir = "/var/lib/tulpar/broker", .secret = "00112233445566778899aabbccddeeff"};

config::Mqtt with_users(std::vector<config::Mqtt::User> users) {
  config::Mqtt mqtt;
  mqtt.users = std::move(users);
  return mqtt;
}

bool has_line(const std::string& text, const std::string& line) {
  std::istringstream lines(text);
  for (std::string found; std::getline(lines, found);) {
    if (found == line) return true;
  }
  return false;
}

TEST_CASE("Broker files: what the design promises of QoS 0 stands in them", "[broker]") {
  const auto files = *broker_files({}, kPlace);
  for (const char* line :
       {"listener 1883 0.0.0.0", "listener 0 /var/lib/tulpar/broker/tulpar.sock", "persistence true",
        "persistence_location /var/lib/tulpar/broker/", "autosave_on_changes true", "autosave_interval 1",
        "upgrade_outgoing_qos true", "queue_qos0_messages true", "max_queued_bytes 67108864"}) {
    INFO(line);
    CHECK(has_line(files.conf, line));
  }
}

TEST_CASE("Broker files: without users anyone may connect", "[broker]") {
  const auto files = *broker_files({}, kPlace);
  CHECK(has_line(files.conf, "allow_anonymous true"));
  CHECK(files.conf.find("password_file") == std::string::npos);
  CHECK(files.passwords.empty());
  CHECK(files.acl.empty());
}

TEST_CASE("Broker files: with users nobody else may, and each only its topics", "[broker]") {
  const auto mqtt = with_users({{"node one", "secret", {"msh/#", "mesh/+/sos"}}, {"b", "", {"#"}}});
  const auto files = *broker_files(mqtt, kPlace);
  CHECK(has_line(files.conf, "allow_anonymous false"));
  CHECK(has_line(files.conf, "password_file /var/lib/tulpar/broker/passwords"));
  CHECK(has_line(files.conf, "acl_file /var/lib/tulpar/broker/acl"));
  CHECK(files.acl ==
        "user node one\ntopic readwrite msh/#\ntopic readwrite mesh/+/sos\n"
        "user b\ntopic readwrite #\n"
        "user tulpar.internal\ntopic readwrite #\n");
  CHECK(files.passwords.find("secret") == std::string::npos);
  CHECK(files.passwords.find(kPlace.secret) == std::string::npos);
}

TEST_CASE("Broker files: the same input gives the same text, another password another", "[broker]") {
  const auto files = *broker_files(with_users({{"a", "x"}, {"b", "x"}}), kPlace);
  CHECK(files == *broker_files(with_users({{"a", "x"}, {"b", "x"}}), kPlace));
  CHECK_FALSE(files == *broker_files(with_users({{"a", "y"}, {"b", "x"}}), kPlace));
  // Users with the same password cannot be told by their hashes.
  std::istringstream lines(files.passwords);
  std::string a, b;
  std::getline(lines, a);
  std::getline(lines, b);
  CHECK(a.substr(1) != b.substr(1));
}

TEST_CASE("Broker files: a listener elsewhere, also IPv6", "[broker]") {
  config::Mqtt mqtt;
  mqtt.listen = "[::1]:2883";
  CHECK(has_line(broker_files(mqtt, kPlace)->conf, "listener 2883 ::1"));
  for (const char* bad : {"", "1883", "0.0.0.0:0", "0.0.0.0:99999"}) {
    mqtt.listen = bad;
    CHECK(broker_files(mqtt, kPlace).has_error());
  }
}

TEST_CASE("Broker files: nothing that an operator types can become a line of its own", "[broker]") {
  for (const char* name : {"", "a:b", "a\nuser root", " a", "a ", "#a", "tulpar.internal", "a\x7f"}) {
    INFO(name);
    CHECK(broker_files(with_users({{name, "x"}}), kPlace).has_error());
  }
  for (const char* topic : {"", "a#", "a\ntopic #", " a", "a "}) {
    INFO(topic);
    CHECK(broker_files(with_users({{"a", "x", {topic}}}), kPlace).has_error());
  }
  CHECK(broker_files(with_users({{"a", "x"}, {"a", "y"}}), kPlace).has_error());
}

TEST_CASE("Broker files: a place that mosquitto cannot serve is named", "[broker]") {
  auto place = kPlace;
  place.dir = "/" + std::string(200, 'd');
  CHECK(broker_files({}, place).error().message.find("too long") != std::string::npos);
  place.dir = "/my dir";
  CHECK(broker_files({}, place).has_error());
  place.dir = "/d";
  place.as_root = true;
  CHECK(has_line(broker_files({}, place)->conf, "user root"));
}

// From mosquitto_passwd 2.0.11 -H sha512-pbkdf2 -I 10000 the form; the hash by PBKDF2 itself.
TEST_CASE("Password line: $7$, iterations, salt, hash", "[broker]") {
  const Bytes salt{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const std::string line = password_line("ann", "open sesame", salt);
  REQUIRE(line.starts_with("ann:$7$10000$AAECAwQFBgcICQoL$"));
  const std::string hash = line.substr(line.rfind('$') + 1);
  CHECK(hash.size() == 88);
  CHECK(hash.ends_with("=="));
}

TEST_CASE("Broker access: our own clients, over the socket, under names nobody can guess", "[broker]") {
  config::Mqtt mqtt;
  mqtt.topics = {"msh/#"};
  const auto source = broker_source_access(mqtt, kPlace);
  CHECK(source.host == "/var/lib/tulpar/broker/tulpar.sock");
  CHECK(source.port == 0);
  CHECK(source.client_id == "tulpar-source-0011223344556677");
  CHECK(source.session_expiry == kForEver);
  CHECK(source.filters == mqtt.topics);
  CHECK(source.username.empty());
  const auto sink = broker_sink_access(with_users({{"a", "x"}}), kPlace);
  CHECK(sink.client_id == "tulpar-sink-0011223344556677");
  CHECK(sink.session_expiry == 0);
  CHECK(sink.username == "tulpar.internal");
  CHECK(sink.password == kPlace.secret);
}

}  // namespace
}  // namespace tulpar::bridge
