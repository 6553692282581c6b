// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_client.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace tulpar::bridge {

using boost::system::error_code;
using std::chrono::steady_clock;

MqttClient::MqttClient(boost::asio::io_context& loop, MqttOptions options, Handler& handler)
    : loop_(&loop),
      options_(std::move(options)),
      handler_(&handler),
      backoff_(random_uniform(), options_.port == 0 ? Backoff::kLocalBase : Backoff::kBase),
      timer_(loop) {}

MqttClient::~MqttClient() {
  if (connection_) connection_->close();
}

void MqttClient::start() {
  stopped_ = false;
  connect();
}

void MqttClient::stop() {
  stopped_ = true;
  timer_.cancel();
  if (connection_) std::exchange(connection_, nullptr)->disconnect();
  status_ = {.problem = "stopped"};
}

void MqttClient::hold() {
  held_ = true;
  if (connection_) connection_->hold();
}

void MqttClient::resume() {
  held_ = false;
  if (connection_) connection_->resume();
  if (std::exchange(connect_when_free_, false)) connect();
}

void MqttClient::drop(std::string why) {
  if (!connection_) return;
  std::exchange(connection_, nullptr)->close();
  on_lost({.why = std::move(why)});
}

Result<int> MqttClient::publish(const std::string& topic, ByteView payload, const std::string& tulpar_id) {
  if (!connection_) return Error{"not connected"};
  return connection_->publish(topic, payload, tulpar_id);
}

MqttStatus MqttClient::status() const { return status_; }

void MqttClient::connect() {
  if (stopped_ || connection_) return;
  if (held_) {
    connect_when_free_ = true;
    return;
  }
  ++status_.attempts;
  connection_ = MqttConnection::open(*loop_, options_, v5_, *this);
}

void MqttClient::connect_after(Millis wait) {
  timer_.expires_after(wait);
  timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](const error_code& cancelled) {
    if (!cancelled && !alive.expired()) connect();
  });
}

void MqttClient::on_session(const MqttSession& session) {
  if (std::exchange(doubted_, false)) {
    checking_ = true;
    v5_ = true;
    std::exchange(connection_, nullptr)->disconnect();
    connect_after(Millis{0});
    return;
  }
  checking_ = false;
  connected_at_ = steady_clock::now();
  status_ = {.connected = true, .v5 = session.v5};
  spdlog::info("{}: connected, MQTT {}", broker(), session.v5 ? "5" : "3.1.1");
  if (!options_.filters.empty()) {
    if (auto done = connection_->subscribe(options_.filters); !done) return drop(done.error().message);
  }
  handler_->on_connected(session);
}

void MqttClient::on_granted(const std::vector<int>& granted) {
  for (std::size_t i = 0; i < granted.size() && i < options_.filters.size(); ++i) {
    if (granted[i] >= options_.qos && granted[i] <= 2) continue;
    status_.problem = fmt::format("the broker {} \"{}\"",
                                  granted[i] == 0 ? "grants only QoS 0 for" : "refuses the subscription",
                                  options_.filters[i]);
    spdlog::warn("{}: {}", broker(), status_.problem);
  }
}

void MqttClient::on_messages(std::vector<MqttMessage> group) { handler_->on_messages(std::move(group)); }

void MqttClient::on_acks(const std::vector<MqttAck>& acks) { handler_->on_acks(acks); }

void MqttClient::on_lost(const MqttLoss& loss) {
  connection_.reset();
  const bool was_connected = std::exchange(status_.connected, false);
  // One line a trouble, not one an attempt.
  if (loss.why != status_.problem) spdlog::warn("{}: {}", broker(), loss.why);
  status_.problem = loss.why;
  if (was_connected && steady_clock::now() - connected_at_ >= Backoff::kSuccess) backoff_.reset();
  connect_after(was_connected ? backoff_.next() : choose_version(loss));
  if (was_connected) {
    v5_ = true;
    handler_->on_disconnected();
  }
}

// Also how long to wait before the attempt.
Millis MqttClient::choose_version(const MqttLoss& loss) {
  const bool old = loss.kind == MqttLoss::Kind::kVersion;
  const bool silent = loss.kind == MqttLoss::Kind::kSilent;
  const bool proven = old || (silent && checking_);
  checking_ = false;
  if (v5_ && (old || silent)) {
    v5_ = false;
    doubted_ = !proven;
    return proven ? Millis{0} : backoff_.next();
  }
  v5_ = true;
  doubted_ = false;
  return backoff_.next();
}

std::string MqttClient::broker() const {
  return options_.port ? fmt::format("broker {}:{}", options_.host, options_.port)
                       : fmt::format("broker {}", options_.host);
}

}  // namespace tulpar::bridge
