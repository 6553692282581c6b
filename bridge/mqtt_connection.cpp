// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_connection.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "config/fail_point.hpp"

namespace tulpar::bridge {
namespace asio = boost::asio;
using boost::system::error_code;

// Lets a thread that may outlive the loop answer to it.
struct MqttConnection::Gate {
  std::mutex mutex;
  asio::io_context* loop = nullptr;  // nullptr: nobody listens any more

  void answer(std::function<void()> work) {
    const std::lock_guard lock(mutex);
    if (loop) asio::post(*loop, std::move(work));
  }
  void shut() {
    const std::lock_guard lock(mutex);
    loop = nullptr;
  }
};

MqttConnection::MqttConnection(asio::io_context& loop, Events& events)
    : loop_(&loop), events_(&events), descriptor_(loop), timer_(loop) {}

MqttConnection::~MqttConnection() { close(); }

std::shared_ptr<MqttConnection> MqttConnection::open(asio::io_context& loop, const MqttOptions& options,
                                                     bool v5, Events& events) {
  std::shared_ptr<MqttConnection> connection(new MqttConnection(loop, events));
  connection->start(options, v5);
  return connection;
}

void MqttConnection::start(const MqttOptions& options, bool v5) {
  gate_ = std::make_shared<Gate>();
  gate_->loop = loop_;
  set_timer(kPatience);
  auto answer = [gate = gate_, weak = weak_from_this()](const Result<void>& result) {
    gate->answer([weak, result] {
      if (const auto self = weak.lock()) self->on_connected(result);
    });
  };
  auto made = MqttHandle::create(options, v5);
  if (!made) {
    // Never inside open(): the caller has no connection yet to be told of.
    answer(made.error());
    return;
  }
  handle_ = std::move(*made);
  // A Unix socket neither resolves nor waits.
  if (options.port == 0) return answer(handle_->connect());
  try {
    std::thread([handle = handle_, answer] { answer(handle->connect()); }).detach();
  } catch (const std::system_error& error) {
    answer(Error{fmt::format("connect: {}", error.what())});
  }
}

void MqttConnection::on_connected(const Result<void>& result) {
  if (!gate_) return;  // closed meanwhile
  if (!result) return lose(result.error().message);
  const int duplicate = fcntl(handle_->socket(), F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return lose(fmt::format("socket: {}", strerror(errno)));
  descriptor_.assign(duplicate);
  reached_ = true;
  proceed();
}

void MqttConnection::close() {
  if (!gate_) return;
  gate_->shut();
  gate_.reset();
  timer_.cancel();
  error_code ignored;
  descriptor_.close(ignored);
  handle_.reset();
}

void MqttConnection::disconnect() {
  // Held: acknowledgements that must not leave stand before the goodbye. The broker finds out by itself.
  if (session_ && !held_ && handle_) {
    handle_->disconnect();
    (void)handle_->write();
  }
  close();
}

void MqttConnection::resume() {
  held_ = false;
  kick();
}

// Soon, but not now: its caller is in the middle of something that a lost connection would upset.
void MqttConnection::kick() {
  if (kicked_ || !gate_) return;
  kicked_ = true;
  asio::post(*loop_, [self = shared_from_this()] {
    self->kicked_ = false;
    self->proceed();
  });
}

void MqttConnection::proceed() {
  if (!reached_ || !gate_ || held_) return;
  if (handle_->wants_write()) {
    if (auto done = handle_->write(); !done) return lose(done.error().message);
    TULPAR_FAIL_POINT("mqtt.written");
  }
  arm();
}

void MqttConnection::arm() {
  if (!waiting_read_) {
    waiting_read_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const error_code& ec) {
                             self->waiting_read_ = false;
                             if (!ec) self->on_readable();
                           });
  }
  if (!waiting_write_ && handle_->wants_write()) {
    waiting_write_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](const error_code& ec) {
                             self->waiting_write_ = false;
                             if (!ec) self->proceed();
                           });
  }
}

void MqttConnection::on_readable() {
  if (!gate_ || held_) return;
  Result<void> result;
  const MqttInbox& inbox = handle_->inbox();
  // Until one brings nothing: cheaper than to ask before each how much is there.
  std::size_t taken = 0, before = 0;
  do {
    before = taken;
    result = handle_->read();
    taken = inbox.messages.size() + inbox.acks.size();
  } while (result && taken > before && inbox.messages.size() < kGroupMessages && inbox.bytes < kGroupBytes);
  deliver();
  if (!gate_) return;
  if (!result) return lose(result.error().message);
  proceed();
}

// Outside libmosquitto's callbacks, so that whoever hears it may do anything.
void MqttConnection::deliver() {
  const auto self = shared_from_this();
  MqttInbox inbox = std::exchange(handle_->inbox(), {});
  if (inbox.session) {
    session_ = true;
    set_timer(kHousekeeping);
    events_->on_session(*inbox.session);
  }
  if (gate_ && !inbox.granted.empty()) events_->on_granted(inbox.granted);
  if (gate_ && !inbox.acks.empty()) events_->on_acks(inbox.acks);
  if (gate_ && !inbox.messages.empty()) events_->on_messages(std::move(inbox.messages));
}

void MqttConnection::set_timer(Millis after) {
  timer_.expires_after(after);
  timer_.async_wait([weak = weak_from_this()](const error_code& ec) {
    const auto self = weak.lock();
    if (!ec && self && self->gate_) self->housekeep();
  });
}

void MqttConnection::housekeep() {
  if (!session_) {
    reached_ = false;  // slow, not silent
    return lose(fmt::format("no answer within {} s", kPatience / std::chrono::seconds(1)));
  }
  set_timer(kHousekeeping);
  if (held_) return;
  if (auto done = handle_->misc(); !done) return lose(done.error().message);
  proceed();
}

void MqttConnection::lose(std::string why) {
  const auto self = shared_from_this();
  MqttLoss loss{.why = std::move(why)};
  if (handle_ && handle_->version_refused()) {
    loss.kind = MqttLoss::Kind::kVersion;
  } else if (reached_ && !handle_->answered()) {
    loss.kind = MqttLoss::Kind::kSilent;
  }
  close();
  events_->on_lost(loss);
}

Result<void> MqttConnection::subscribe(const std::vector<std::string>& filters) {
  if (!session_ || !handle_) return Error{"not connected"};
  kick();
  return handle_->subscribe(filters);
}

Result<int> MqttConnection::publish(const std::string& topic, ByteView payload, const std::string& tulpar_id) {
  if (!session_ || !handle_) return Error{"not connected"};
  kick();
  return handle_->publish(topic, payload, tulpar_id);
}

}  // namespace tulpar::bridge
