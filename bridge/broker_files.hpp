// SPDX-License-Identifier: Apache-2.0
//
// The configuration of the mosquitto that Tulpar runs itself: what its files say.
//
// Pure: the same input gives the same text, so that a broker that runs already can be told from one that needs
// replacing. Written for mosquitto 2.0.11.
#pragma once

#include <string>
#include <string_view>

#include "bridge/mqtt_handle.hpp"
#include "config/types.hpp"

namespace tulpar::bridge {

struct BrokerPlace {
  std::string dir;       // absolute; everything of the broker's is in it
  std::string secret;    // 32 hexadecimal digits, made once for this directory
  bool as_root = false;  // we are root: the broker would change its user and could not write there
};

struct BrokerFiles {
  std::string conf{};       // DIR/mosquitto.conf
  std::string passwords{};  // DIR/passwords; empty: no such file
  std::string acl{};        // DIR/acl; likewise
  bool operator==(const BrokerFiles&) const = default;
};

// Error: what of [mqtt] cannot be served.
Result<BrokerFiles> broker_files(const config::Mqtt& mqtt, const BrokerPlace& place);

// How Tulpar itself reaches that broker: over a Unix socket that only its user can open. The client ids hold a
// part of the secret: where anyone may connect, nobody shall take our session. The source's session ends never.
MqttOptions broker_source_access(const config::Mqtt& mqtt, const BrokerPlace& place);
MqttOptions broker_sink_access(const config::Mqtt& mqtt, const BrokerPlace& place);

// One line of the password file without its end: PBKDF2-SHA512, what mosquitto calls $7$. REQUIRES: 12 bytes of
// salt.
std::string password_line(std::string_view name, std::string_view password, ByteView salt);

}  // namespace tulpar::bridge
