// SPDX-License-Identifier: Apache-2.0
#include "bridge/broker_files.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <set>

#include "bridge/topic_filter.hpp"
#include "config/address.hpp"

namespace tulpar::bridge {
namespace {

constexpr std::string_view kOwnUser = "tulpar.internal";
constexpr std::size_t kSalt = 12;  // mosquitto takes no other
constexpr std::size_t kHash = 64;
// A tenth of a second of a small router's processor for a login; mosquitto's own default is 101.
constexpr int kIterations = 10'000;
// What one client that is away may have waiting. Days of a busy mesh; the file is written anew with each
// change.
constexpr std::size_t kMaxQueuedBytes = 64u << 20;

std::string base64(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

// Derived, not drawn: the files must come out the same each time. Different in each directory and for each
// user.
Bytes salt_for(std::string_view secret, std::string_view name) {
  const std::string text = fmt::format("salt {} {}", secret, name);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest.data());
  return {digest.begin(), digest.begin() + kSalt};
}

// The files are read by lines, names up to a colon, and trimmed.
bool fits_a_line(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && std::none_of(text.begin(), text.end(), control) && text.front() != ' ' &&
         text.back() != ' ';
}

Result<void> check_user(const config::Mqtt::User& user) {
  if (!fits_a_line(user.name) || user.name.find(':') != std::string::npos || user.name.front() == '#') {
    return Error{fmt::format(
        "[mqtt] user \"{}\": a name has no colon, no control characters, no spaces around it and no "
        "# in front",
        user.name)};
  }
  if (user.name == kOwnUser)
    return Error{fmt::format("[mqtt] user \"{}\": that name is Tulpar's own", user.name)};
  for (const auto& topic : user.topics) {
    if (!valid_filter(topic) || !fits_a_line(topic)) {
      return Error{fmt::format("[mqtt] user \"{}\": \"{}\" is not a topic filter", user.name, topic)};
    }
  }
  return {};
}

std::string socket_path(const BrokerPlace& place) { return place.dir + "/tulpar.sock"; }

Result<void> check_place(const BrokerPlace& place) {
  if (socket_path(place).size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{fmt::format("state_dir: {} is too long for a socket's path ({} bytes at most)",
                             socket_path(place), sizeof(sockaddr_un::sun_path) - 1)};
  }
  if (!fits_a_line(place.dir) || place.dir.find(' ') != std::string::npos) {
    return Error{
        fmt::format("state_dir: {}: mosquitto takes no spaces or control characters in a path", place.dir)};
  }
  return {};
}

std::string conf_text(const config::HostPort& listen, const BrokerPlace& place, bool open) {
  std::string text = fmt::format(
      "# Written by Tulpar at every start; changes are lost.\n"
      "listener {} {}\n"
      "listener 0 {}\n"
      // Not per listener: mosquitto does not know the listener of a session that it read from its file, if that
      // was a Unix socket, and queues nothing for it.
      "per_listener_settings false\n"
      "allow_anonymous {}\n",
      listen.port, listen.host, socket_path(place), open);
  if (!open) text += fmt::format("password_file {0}/passwords\nacl_file {0}/acl\n", place.dir);
  text += fmt::format(
      "persistence true\n"
      "persistence_location {}/\n"
      "persistence_file mosquitto.db\n"
      "autosave_on_changes true\n"
      "autosave_interval 1\n"
      // Nodes publish at QoS 0: these two make the broker keep it for us while we are away.
      "upgrade_outgoing_qos true\n"
      "queue_qos0_messages true\n"
      // Not 0, no limit: mosquitto 2.0.11 then hangs up on whoever publishes what it may not.
      "max_queued_messages 10000000\n"
      "max_queued_bytes {}\n"
      "max_inflight_messages {}\n"
      "max_packet_size {}\n"
      // Its statistics would be a change to save every ten seconds.
      "sys_interval 0\n"
      "connection_messages false\n"
      "log_dest stderr\n"
      "log_type error\n"
      "log_type warning\n"
      "log_type notice\n"
      "log_timestamp_format %Y-%m-%dT%H:%M:%S\n",
      place.dir, kMaxQueuedBytes, MqttHandle::kReceiveMaximum, MqttHandle::kMaxPacket);
  if (place.as_root) text += "user root\n";
  return text;
}

MqttOptions access(const config::Mqtt& mqtt, const BrokerPlace& place, std::string_view role) {
  MqttOptions options{.host = socket_path(place),
                      .port = 0,
                      .client_id = fmt::format("tulpar-{}-{}", role, place.secret.substr(0, 16))};
  if (!mqtt.users.empty()) {
    options.username = kOwnUser;
    options.password = place.secret;
  }
  return options;
}

}  // namespace

std::string password_line(std::string_view name, std::string_view password, ByteView salt) {
  std::array<std::uint8_t, kHash> hash;
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), kIterations, EVP_sha512(), kHash, hash.data()) != 1) {
    throw std::runtime_error("PBKDF2-SHA512 failed");
  }
  return fmt::format("{}:$7${}${}${}", name, kIterations, base64(salt), base64(hash));
}

Result<BrokerFiles> broker_files(const config::Mqtt& mqtt, const BrokerPlace& place) {
  if (auto fits = check_place(place); !fits) return fits.error();
  const auto listen = config::parse_host_port(mqtt.listen);
  if (!listen) return Error{fmt::format("[mqtt] listen: {}", listen.error().message)};
  if (listen->port == 0) return Error{"[mqtt] listen: the broker needs a port"};
  BrokerFiles files{.conf = conf_text(*listen, place, mqtt.users.empty())};
  if (mqtt.users.empty()) return files;

  const auto add = [&](std::string_view name, std::string_view password,
                       const std::vector<std::string>& topics) {
    files.passwords += password_line(name, password, salt_for(place.secret, name)) + "\n";
    files.acl += fmt::format("user {}\n", name);
    for (const auto& topic : topics) files.acl += fmt::format("topic readwrite {}\n", topic);
  };
  std::set<std::string_view> names;
  for (const auto& user : mqtt.users) {
    if (auto good = check_user(user); !good) return good.error();
    if (!names.insert(user.name).second)
      return Error{fmt::format("[mqtt] user \"{}\" is there twice", user.name)};
    add(user.name, user.password, user.topics);
  }
  add(kOwnUser, place.secret, {"#"});
  return files;
}

MqttOptions broker_source_access(const config::Mqtt& mqtt, const BrokerPlace& place) {
  MqttOptions options = access(mqtt, place, "source");
  options.session_expiry = kForEver;
  options.filters = mqtt.topics;
  return options;
}

MqttOptions broker_sink_access(const config::Mqtt& mqtt, const BrokerPlace& place) {
  return access(mqtt, place, "sink");
}

}  // namespace tulpar::bridge
