// SPDX-License-Identifier: Apache-2.0
#include "tests/bridge/real_broker.hpp"

#include <fmt/format.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "bridge/broker_process.hpp"

namespace tulpar::test {
namespace {

// Lost connections are these tests' daily bread.
[[maybe_unused]] const bool kQuiet = [] {
  spdlog::set_level(spdlog::level::off);
  return true;
}();

constexpr const char* kProgram = "/usr/sbin/mosquitto";
// A turn of a client that waits for its broker, in milliseconds.
constexpr int kTurn = 20;

}  // namespace

bool has_mosquitto() { return access(kProgram, X_OK) == 0; }

std::uint16_t free_port() {
  boost::asio::io_context loop;
  boost::asio::ip::tcp::acceptor acceptor(loop, {boost::asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

RealBroker::RealBroker(const std::string& conf) : port_(free_port()) {
  std::ofstream(dir_ / "mosquitto.conf") << fmt::format(
      "listener {} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}\n{}{}", port_,
      dir_ / "", geteuid() == 0 ? "user root\n" : "", conf);
  start();
}

RealBroker::~RealBroker() { end(SIGKILL); }

void RealBroker::start() { pid_ = bridge::start_broker(dir_ / "", kProgram).value(); }

void RealBroker::end(int signal) {
  if (pid_ == 0) return;
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bridge::MqttOptions RealBroker::options(const std::string& id) const {
  return {.host = "127.0.0.1", .port = port_, .client_id = id};
}

PlainClient::PlainClient(const std::string& host, std::uint16_t port, const std::string& id,
                         const std::string& user, const std::string& password)
    : client_(mosquitto_new(id.c_str(), true, this)) {
  mosquitto_int_option(client_.get(), MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client_.get(), MOSQ_OPT_TCP_NODELAY, 1);
  if (!user.empty()) mosquitto_username_pw_set(client_.get(), user.c_str(), password.c_str());
  mosquitto_connect_callback_set(client_.get(), [](mosquitto*, void* self, int reason) {
    static_cast<PlainClient*>(self)->connected_ = reason == 0;
    static_cast<PlainClient*>(self)->refused_ = reason;
  });
  mosquitto_subscribe_callback_set(client_.get(), [](mosquitto*, void* self, int, int, const int*) {
    static_cast<PlainClient*>(self)->subscribed_ = true;
  });
  mosquitto_publish_callback_set(
      client_.get(), [](mosquitto*, void* self, int) { ++static_cast<PlainClient*>(self)->acknowledged_; });
  mosquitto_message_v5_callback_set(client_.get(), [](mosquitto*, void* self, const mosquitto_message* message,
                                                      const mosquitto_property* properties) {
    Heard heard{
        message->topic,
        std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)),
        "", message->qos};
    char *name = nullptr, *value = nullptr;
    if (mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name, &value, false)) {
      heard.tulpar_id = value;
      free(name);
      free(value);
    }
    static_cast<PlainClient*>(self)->heard.push_back(std::move(heard));
  });
  run([&] {
    if (mosquitto_socket(client_.get()) < 0) mosquitto_connect(client_.get(), host.c_str(), port, 60);
    return connected_ || refused_ != 0;
  });
}

PlainClient::~PlainClient() { mosquitto_disconnect(client_.get()); }

template <class Condition>
void PlainClient::run(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the broker does not answer");
    // Without a connection it would return at once.
    if (mosquitto_loop(client_.get(), kTurn, 1) != MOSQ_ERR_SUCCESS) usleep(kTurn * 1000);
  }
}

void PlainClient::publish(const std::string& topic, const std::string& payload, int qos, bool retain,
                          const std::string& tulpar_id) {
  mosquitto_property* properties = nullptr;
  if (!tulpar_id.empty()) {
    mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "tulpar-id", tulpar_id.c_str());
  }
  const int before = acknowledged_;
  mosquitto_publish_v5(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(),
                       qos, retain, properties);
  mosquitto_property_free_all(&properties);
  run([&] { return acknowledged_ > before; });
}

void PlainClient::subscribe(const std::string& filter) {
  subscribed_ = false;
  mosquitto_subscribe(client_.get(), nullptr, filter.c_str(), 1);
  run([&] { return subscribed_; });
}

void PlainClient::poll() { mosquitto_loop(client_.get(), 0, 1); }

}  // namespace tulpar::test
