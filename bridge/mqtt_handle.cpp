// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_handle.hpp"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

#include "bridge/fingerprint.hpp"
#include "bridge/mqtt_outgoing.hpp"

namespace tulpar::bridge {
namespace {

class Properties {
 public:
  ~Properties() { mosquitto_property_free_all(&list_); }
  mosquitto_property** out() { return &list_; }
  const mosquitto_property* get() const { return list_; }

 private:
  mosquitto_property* list_ = nullptr;
};

// The value of the user property kTulparId; empty if there is none.
std::string read_tulpar_id(const mosquitto_property* properties) {
  std::string found;
  char* name = nullptr;
  char* value = nullptr;
  for (const auto* at =
           mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name, &value, false);
       at; at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, true)) {
    // An empty value marks it as well.
    if (std::string_view(name) == kTulparId) found = *value ? value : "-";
    free(name);
    free(value);
  }
  return found;
}

// TCP only; a closed or Unix socket refuses, and nothing is lost.
void cork(int fd, int on) { setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

// What libmosquitto calls, inside read() and write() (the log also inside connect()).
struct MqttCallbacks {
  static MqttHandle& self(void* object) { return *static_cast<MqttHandle*>(object); }

  static void on_connect(struct mosquitto*, void* object, int reason, int flags,
                         const mosquitto_property* properties) {
    MqttHandle& handle = self(object);
    handle.answered_ = true;
    if (reason != 0) {
      handle.version_refused_ = reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION || (!handle.v5_ && reason == 1);
      handle.ended_ = fmt::format("the broker refuses: {}", handle.reason_text(reason));
      return;
    }
    MqttSession session{.v5 = handle.v5_, .resumed = (flags & 1) != 0};
    std::uint8_t max_qos = 2;
    mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &session.receive_maximum, false);
    mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &session.max_packet, false);
    mosquitto_property_read_byte(properties, MQTT_PROP_MAXIMUM_QOS, &max_qos, false);
    session.max_qos = max_qos;
    handle.inbox_.session = session;
  }

  // With a result of libmosquitto's own the call under way returns it too; else the broker said why it hangs
  // up.
  static void on_disconnect(struct mosquitto*, void* object, int reason, const mosquitto_property*) {
    MqttHandle& handle = self(object);
    if (!handle.ended_.empty()) return;
    if (reason >= MQTT_RC_UNSPECIFIED)
      handle.ended_ = fmt::format("the broker hangs up: {}", handle.reason_text(reason));
  }

  static void on_message(struct mosquitto*, void* object, const mosquitto_message* message,
                         const mosquitto_property* properties) {
    MqttInbox& inbox = self(object).inbox_;
    const auto* bytes = static_cast<const std::uint8_t*>(message->payload);
    MqttMessage taken{.topic = message->topic,
                      .payload = Bytes(bytes, bytes + message->payloadlen),
                      .mid = static_cast<std::uint16_t>(message->qos ? message->mid : 0),
                      .qos = message->qos,
                      .retain = message->retain,
                      .tulpar_id = read_tulpar_id(properties)};
    taken.fingerprint = fingerprint(taken.topic, taken.payload);
    inbox.bytes += taken.topic.size() + taken.payload.size();
    inbox.messages.push_back(std::move(taken));
  }

  static void on_publish(struct mosquitto*, void* object, int packet, int reason, const mosquitto_property*) {
    self(object).inbox_.acks.push_back({packet, static_cast<std::uint8_t>(reason)});
  }

  static void on_subscribe(struct mosquitto*, void* object, int, int count, const int* granted,
                           const mosquitto_property*) {
    self(object).inbox_.granted.assign(granted, granted + count);
  }

  static void on_log(struct mosquitto*, void* object, int level, const char* text) {
    if (level & (MOSQ_LOG_ERR | MOSQ_LOG_WARNING)) self(object).last_log_ = text;
  }
};

MqttHandle::MqttHandle(const MqttOptions& options, bool v5) : options_(options), v5_(v5) {}

MqttHandle::~MqttHandle() { mosquitto_destroy(client_); }

Result<std::unique_ptr<MqttHandle>> MqttHandle::create(const MqttOptions& options, bool v5) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { mosquitto_lib_init(); });
  std::unique_ptr<MqttHandle> handle(new MqttHandle(options, v5));
  if (auto done = handle->set_up(); !done) return done.error();
  return handle;
}

Result<void> MqttHandle::set_up() {
  client_ = mosquitto_new(options_.client_id.c_str(), options_.session_expiry == 0, this);
  if (!client_) return Error{fmt::format("client id \"{}\": {}", options_.client_id, strerror(errno))};
  mosquitto_threaded_set(client_, true);
  mosquitto_connect_v5_callback_set(client_, MqttCallbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(client_, MqttCallbacks::on_disconnect);
  mosquitto_message_v5_callback_set(client_, MqttCallbacks::on_message);
  mosquitto_publish_v5_callback_set(client_, MqttCallbacks::on_publish);
  mosquitto_subscribe_v5_callback_set(client_, MqttCallbacks::on_subscribe);
  mosquitto_log_callback_set(client_, MqttCallbacks::on_log);
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, v5_ ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, kReceiveMaximum);
  // Acknowledgements are small writes; Nagle's algorithm would hold them back for the broker's delayed ACK, 40
  // ms.
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, options_.port != 0);
  const int named = mosquitto_username_pw_set(client_, or_null(options_.username), or_null(options_.password));
  if (auto done = check("user name and password", named); !done) return done;
  return options_.tls.enabled ? set_tls() : Result<void>();
}

Result<void> MqttHandle::set_tls() {
  const config::MqttTls& tls = options_.tls;
  const int set =
      mosquitto_tls_set(client_, or_null(tls.ca), tls.ca.empty() ? X509_get_default_cert_dir() : nullptr,
                        or_null(tls.cert), or_null(tls.key),
                        // OpenSSL would ask the terminal for the password of an encrypted key.
                        [](char*, int, int, void*) { return 0; });
  if (set == MOSQ_ERR_INVAL) {
    return Error{
        fmt::format("TLS: cannot read one of ca \"{}\", cert \"{}\", key \"{}\" (cert and key go together)",
                    tls.ca, tls.cert, tls.key)};
  }
  if (auto done = check("TLS", set); !done) return done;
  return check("TLS", mosquitto_tls_insecure_set(client_, tls.insecure));
}

Result<void> MqttHandle::connect() {
  Properties properties;
  if (v5_) {
    int failed = mosquitto_property_add_int32(properties.out(), MQTT_PROP_MAXIMUM_PACKET_SIZE, kMaxPacket);
    if (!failed && options_.session_expiry) {
      failed = mosquitto_property_add_int32(properties.out(), MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                            options_.session_expiry);
    }
    if (failed) return check("CONNECT", failed);
  }
  errno = 0;
  const int result = mosquitto_connect_bind_v5(client_, options_.host.c_str(), options_.port, kKeepalive,
                                               nullptr, properties.get());
  if (result == MOSQ_ERR_EAI)
    return Error{fmt::format("cannot resolve \"{}\": {}", options_.host, gai_strerror(errno))};
  return check("connect", result);
}

int MqttHandle::socket() const { return mosquitto_socket(client_); }

Result<void> MqttHandle::read() {
  if (auto done = check("read", mosquitto_loop_read(client_, 1)); !done) return done;
  // A DISCONNECT from the broker closes the socket, and is a success to libmosquitto.
  if (socket() < 0) return Error{ended_.empty() ? "the broker hangs up" : ended_};
  return {};
}
Result<void> MqttHandle::write() {
  // libmosquitto writes packet by packet: a group's acknowledgements, four bytes each, would leave in a segment
  // each and wake the broker as often.
  cork(socket(), 1);
  auto done = check("write", mosquitto_loop_write(client_, 1));
  cork(socket(), 0);
  return done;
}
Result<void> MqttHandle::misc() { return check("keep alive", mosquitto_loop_misc(client_)); }
bool MqttHandle::wants_write() const { return mosquitto_want_write(client_); }

Result<void> MqttHandle::check(const char* doing, int result) const {
  const int number = errno;
  if (result == MOSQ_ERR_SUCCESS) return {};
  if (!ended_.empty()) return Error{ended_};
  if (result == MOSQ_ERR_ERRNO && number != 0) return Error{fmt::format("{}: {}", doing, strerror(number))};
  if (result == MOSQ_ERR_TLS && !last_log_.empty()) return Error{fmt::format("TLS: {}", last_log_)};
  return Error{fmt::format("{}: {}", doing, mosquitto_strerror(result))};
}

std::string MqttHandle::reason_text(int reason) const {
  return v5_ ? mosquitto_reason_string(reason) : mosquitto_connack_string(reason);
}

Result<void> MqttHandle::subscribe(const std::vector<std::string>& filters) {
  std::vector<char*> list;
  for (const auto& filter : filters) list.push_back(const_cast<char*>(filter.c_str()));
  // What is retained comes once, with a subscription that the session does not have yet; 3.1.1 knows no such
  // option.
  return check("subscribe",
               mosquitto_subscribe_multiple(client_, nullptr, static_cast<int>(list.size()), list.data(),
                                            options_.qos, MQTT_SUB_OPT_SEND_RETAIN_NEW, nullptr));
}

Result<int> MqttHandle::publish(const std::string& topic, ByteView payload, const std::string& tulpar_id) {
  Properties properties;
  if (v5_) {
    const int failed = mosquitto_property_add_string_pair(properties.out(), MQTT_PROP_USER_PROPERTY, kTulparId,
                                                          tulpar_id.c_str());
    if (failed) return check("PUBLISH", failed).error();
  }
  int packet = 0;
  const int result = mosquitto_publish_v5(client_, &packet, topic.c_str(), static_cast<int>(payload.size()),
                                          payload.data(), 1, false, properties.get());
  if (auto done = check("publish", result); !done) return done.error();
  return packet;
}

void MqttHandle::disconnect() { mosquitto_disconnect_v5(client_, MQTT_RC_NORMAL_DISCONNECTION, nullptr); }

}  // namespace tulpar::bridge
