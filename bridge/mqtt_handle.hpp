// SPDX-License-Identifier: Apache-2.0
//
// One libmosquitto client for one connection, as a C++ value: calls in, what arrived out. It waits for nothing.
//
// One thread at a time; only connect() blocks. Made anew for every connection: libmosquitto would otherwise
// send again by itself what was unacknowledged, and keep flags of a handshake that failed. It runs as
// "threaded" without a thread, which makes it queue what it writes: nothing leaves but in write(). An error
// ends the connection; its text says why. Destroying it closes the socket and writes nothing. (Read from
// libmosquitto 2.0.11; SIGPIPE is ignored from the first one on.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/types.hpp"

struct mosquitto;

namespace tulpar::bridge {

// How to reach a broker, and as whom.
struct MqttOptions {
  std::string host{};  // name or address; with port 0 the path of a Unix socket
  std::uint16_t port = 1883;
  std::string username{}, password{};
  config::MqttTls tls{};
  std::string client_id{};  // the broker allows one connection for each; not empty
  // Seconds for which the broker keeps the session, and what it owes us, while we are away. 0: each connection
  // begins anew.
  std::uint32_t session_expiry = 0;
  std::vector<std::string> filters{};  // subscribed
  int qos = 1;                         // of the subscriptions
};
// Long enough for a gateway that was switched off over the holidays; a session that nobody returns to ends.
inline constexpr std::uint32_t kThirtyDays = 30 * 24 * 3600;
// The broker at hand may keep it for ever: its end is told by the wall clock, which may jump by decades.
inline constexpr std::uint32_t kForEver = 0xffffffff;

struct MqttMessage {
  std::string topic;
  Bytes payload;
  std::uint16_t mid = 0;  // packet identifier; 0 with QoS 0
  int qos = 0;
  bool retain = false;            // was stored at the broker; not: published just now with that flag
  std::string tulpar_id;          // kTulparId, if it has that user property
  std::uint64_t fingerprint = 0;  // of topic and payload
};

// What the broker granted.
struct MqttSession {
  bool v5 = true;
  bool resumed = false;  // it kept the session
  std::uint16_t receive_maximum = 0xffff;
  std::uint32_t max_packet = 0;  // bytes; 0: no limit known
  int max_qos = 2;
};

struct MqttAck {
  int packet = 0;
  std::uint8_t reason = 0;
};

struct MqttInbox {
  std::optional<MqttSession> session;
  std::vector<int> granted;  // of the subscriptions, in their order: a QoS, or a reason >= 0x80
  std::vector<MqttMessage> messages;
  std::size_t bytes = 0;  // of their topics and payloads
  std::vector<MqttAck> acks;
};

class MqttHandle {
 public:
  // Unacknowledged messages that a broker may send us: one group commit's worth (MQTT 5.0, 3.1.2.11.3).
  static constexpr std::uint16_t kReceiveMaximum = 1000;
  // Larger packets a broker keeps to itself (3.1.2.11.4). Well above config::kMaxPayload, so that what is too
  // large for us is counted here, not lost there.
  static constexpr std::uint32_t kMaxPacket = 4u << 20;
  static constexpr int kKeepalive = 60;  // seconds

  // Error: an option that libmosquitto refuses.
  static Result<std::unique_ptr<MqttHandle>> create(const MqttOptions& options, bool v5);
  ~MqttHandle();
  MqttHandle(const MqttHandle&) = delete;
  MqttHandle& operator=(const MqttHandle&) = delete;

  // Resolves the name and connects: blocks, for minutes in the worst case. CONNECT is queued.
  Result<void> connect();
  int socket() const;

  // Takes in at least one packet if one is there. Over TLS it may take more.
  Result<void> read();
  // Writes what is queued, as far as it can.
  Result<void> write();
  bool wants_write() const;
  // Pings, or finds that nobody answers. To be called every kKeepalive / 4 or so.
  Result<void> misc();

  Result<void> subscribe(const std::vector<std::string>& filters);
  // QoS 1. Result: the packet that the acknowledgement will name.
  Result<int> publish(const std::string& topic, ByteView payload, const std::string& tulpar_id);
  // Queues DISCONNECT: the broker keeps the session and sends no will.
  void disconnect();

  MqttInbox& inbox() { return inbox_; }
  // The broker answered CONNECT, and perhaps that it does not speak this version.
  bool answered() const { return answered_; }
  bool version_refused() const { return version_refused_; }

 private:
  friend struct MqttCallbacks;
  MqttHandle(const MqttOptions& options, bool v5);
  Result<void> set_up();
  Result<void> set_tls();
  Result<void> check(const char* doing, int result) const;
  std::string reason_text(int reason) const;

  MqttOptions options_;
  bool v5_;
  bool answered_ = false, version_refused_ = false;
  struct mosquitto* client_ = nullptr;
  MqttInbox inbox_;
  std::string ended_;     // why the broker ended it, in its own words
  std::string last_log_;  // libmosquitto's last complaint
};

}  // namespace tulpar::bridge
