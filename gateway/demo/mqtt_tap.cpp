// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/mqtt_tap.hpp"

#include <fmt/format.h>
#include <mosquitto.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <mutex>
#include <utility>

namespace tulpar::demo {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr int kKeepalive = 60;  // seconds
constexpr auto kHousekeeping = std::chrono::seconds(5);
constexpr int kPacketsPerTurn = 50;

struct Free {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};

}  // namespace

struct MqttTap::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor executor_, const std::string& client_id, OnMessage on_message_)
      : executor(std::move(executor_)),
        on_message(std::move(on_message_)),
        descriptor(executor),
        timer(executor),
        client(mosquitto_new(client_id.c_str(), true, this)) {}

  asio::any_io_executor executor;
  OnMessage on_message;
  Descriptor descriptor;  // libmosquitto's socket, lent
  asio::steady_timer timer;
  std::unique_ptr<mosquitto, Free> client;
  std::size_t subscriptions = 0;
  std::size_t unacknowledged = 0;
  bool writing = false;
  bool connected = false;

  Result<void> connect(std::uint16_t port, const std::vector<std::string>& filters);
  void close();
  void check(int result) {
    if (result != MOSQ_ERR_SUCCESS) close();
  }
  void flush();
  void spawn(asio::awaitable<void> work) {
    asio::co_spawn(executor, std::move(work), [self = shared_from_this()](std::exception_ptr broken) {
      if (broken) std::rethrow_exception(broken);
    });
  }
  asio::awaitable<void> read();
  asio::awaitable<void> write();
  asio::awaitable<void> keep_house();
};

Result<void> MqttTap::State::connect(std::uint16_t port, const std::vector<std::string>& filters) {
  mosquitto_message_callback_set(client.get(), [](mosquitto*, void* self, const mosquitto_message* message) {
    const auto* payload = static_cast<const std::uint8_t*>(message->payload);
    static_cast<State*>(self)->on_message(message->topic,
                                          {payload, static_cast<std::size_t>(message->payloadlen)});
  });
  mosquitto_publish_callback_set(
      client.get(), [](mosquitto*, void* self, int) { --static_cast<State*>(self)->unacknowledged; });
  mosquitto_subscribe_callback_set(client.get(), [](mosquitto*, void* self, int, int, const int*) {
    --static_cast<State*>(self)->subscriptions;
  });
  const int result = mosquitto_connect(client.get(), "127.0.0.1", port, kKeepalive);
  if (result != MOSQ_ERR_SUCCESS) {
    return Error{fmt::format("MQTT broker at 127.0.0.1:{}: {}", port, mosquitto_strerror(result))};
  }
  connected = true;
  subscriptions = filters.size();
  descriptor.assign(mosquitto_socket(client.get()));
  spawn(read());
  spawn(keep_house());
  for (const std::string& filter : filters)
    check(mosquitto_subscribe(client.get(), nullptr, filter.c_str(), 1));
  flush();
  return {};
}

void MqttTap::State::close() {
  if (!connected) return;
  connected = false;
  timer.cancel();
  // Before libmosquitto closes it; release() also ends the waits.
  descriptor.release();
  mosquitto_disconnect(client.get());
}

void MqttTap::State::flush() {
  if (!connected || writing || !mosquitto_want_write(client.get())) return;
  writing = true;
  spawn(write());
}

asio::awaitable<void> MqttTap::State::read() {
  while (connected) {
    const auto [ec] = co_await descriptor.async_wait(Descriptor::wait_read, kUse);
    if (ec || !connected) co_return;
    check(mosquitto_loop_read(client.get(), kPacketsPerTurn));
    flush();
  }
}

asio::awaitable<void> MqttTap::State::write() {
  while (connected && mosquitto_want_write(client.get())) {
    const auto [ec] = co_await descriptor.async_wait(Descriptor::wait_write, kUse);
    if (ec || !connected) break;
    check(mosquitto_loop_write(client.get(), kPacketsPerTurn));
  }
  writing = false;
}

asio::awaitable<void> MqttTap::State::keep_house() {
  while (connected) {
    timer.expires_after(kHousekeeping);
    co_await timer.async_wait(kUse);
    if (!connected) co_return;
    check(mosquitto_loop_misc(client.get()));
    flush();
  }
}

MqttTap::MqttTap(std::shared_ptr<State> state) : state_(std::move(state)) {}

MqttTap::~MqttTap() { state_->close(); }

Result<std::unique_ptr<MqttTap>> MqttTap::connect(asio::any_io_executor executor, std::uint16_t port,
                                                  const std::string& client_id,
                                                  const std::vector<std::string>& filters,
                                                  OnMessage on_message) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { mosquitto_lib_init(); });
  auto state = std::make_shared<State>(std::move(executor), client_id, std::move(on_message));
  if (!state->client) return Error{fmt::format("MQTT client {}: could not be made", client_id)};
  if (const auto connected = state->connect(port, filters); !connected) return connected.error();
  return std::unique_ptr<MqttTap>(new MqttTap(std::move(state)));
}

Result<void> MqttTap::publish(const std::string& topic, ByteView payload) {
  const int result = mosquitto_publish(state_->client.get(), nullptr, topic.c_str(),
                                       static_cast<int>(payload.size()), payload.data(), 1, false);
  if (result != MOSQ_ERR_SUCCESS)
    return Error{fmt::format("publish to {}: {}", topic, mosquitto_strerror(result))};
  ++state_->unacknowledged;
  state_->flush();
  return {};
}

std::size_t MqttTap::unacknowledged() const { return state_->unacknowledged; }
bool MqttTap::subscribed() const { return state_->subscriptions == 0; }
bool MqttTap::connected() const { return state_->connected; }

}  // namespace tulpar::demo
