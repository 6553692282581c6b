// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_sink.hpp"

#include <fmt/format.h>
#include <mosquitto.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>

#include "bridge/mqtt_outgoing.hpp"
#include "config/fail_point.hpp"

namespace tulpar::bridge {
namespace {

using queue::DropReason;
using queue::EdgeBody;
using queue::Entry;
using queue::State;

// Bodies read at once; with it and the window at most 2 MiB are in memory.
constexpr std::size_t kPickBytes = 1u << 20;
constexpr Millis kStoreRetry = std::chrono::seconds(1);

// What is refused is few or sees no change for hours: when it expires is no matter of seconds.
constexpr Millis kRefusalsEvery = std::chrono::minutes(1);

// The order, the shares and the TTLs of the classes hold here.
std::vector<config::MessageClass> without_waiting(std::vector<config::MessageClass> classes) {
  for (auto& cls : classes) {
    cls.hold = Millis{0};
    cls.latest_only = false;
  }
  return classes;
}

}  // namespace

MqttSink::MqttSink(boost::asio::io_context& loop, const Clock& clock, queue::StoreRunner& runner,
                   Options options)
    : loop_(&loop),
      clock_(&clock),
      runner_(&runner),
      options_(std::move(options)),
      client_(loop, options_.mqtt, *this),
      scheduler_(without_waiting(options_.classes)),
      timer_(loop) {}

void MqttSink::stop() {
  connected_ = false;
  client_.stop();
}

void MqttSink::add(const Entry& entry) {
  scheduler_.add(entry);
  wake();
}

void MqttSink::add(const Entry& entry, EdgeBody body) {
  at_hand_.add(entry, std::move(body));
  add(entry);
}

void MqttSink::wake() {
  if (std::exchange(kicked_, true)) return;
  boost::asio::post(*loop_, [this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    kicked_ = false;
    pump();
  });
}

void MqttSink::on_connected(const MqttSession& session) {
  if (session.max_qos < 1) return client_.drop("the broker takes no publications of QoS 1");
  connected_ = true;
  session_ = session;
  window_.open(session.receive_maximum);
  refusals_.reconnected(clock_->now());
  send_unstored();
  pump();
}

void MqttSink::on_disconnected() {
  connected_ = false;
  unstored_seen_.clear();  // they may have been lost with the connection
  for (const Entry& entry : window_.close(clock_->now())) scheduler_.give_back(entry);
}

void MqttSink::set_policy(const std::vector<config::MessageClass>& classes) {
  options_.classes = classes;
  scheduler_.set_policy(without_waiting(classes));
  wake();
}

void MqttSink::expire() {
  const BootTime now = clock_->now();
  end_all(scheduler_.take_expired(now), State::kExpired, DropReason::kNone);
  if (refusals_.size() == 0 || now - refusals_looked_at_ < kRefusalsEvery) return;
  refusals_looked_at_ = now;
  end_all(refusals_.take_expired(now, options_.classes), State::kExpired, DropReason::kNone);
}

void MqttSink::pump() {
  expire();
  while (connected_) {
    auto picked = pick();
    if (picked.empty()) break;
    fetch(std::move(picked));
  }
  set_timer();
}

std::vector<Entry> MqttSink::pick() {
  const BootTime now = clock_->now();
  const bool emergency = scheduler_.ready(now) == queue::kEmergency;
  if (const auto refused = ask_again(now, true)) return {*refused};
  if (!emergency) {
    if (const auto refused = ask_again(now, false)) return {*refused};
    if (const auto due = window_.take_due(now)) return {*due};
  }
  const std::size_t room = window_.room(now, emergency);
  if (room == 0) return {};
  auto picked =
      scheduler_.pick(now, {.max_bytes = kPickBytes, .company_bytes = kPickBytes, .max_messages = room});
  for (const Entry& entry : picked) {
    window_.begin(entry);
    scheduler_.sent(entry.cls, entry.bytes);
  }
  return picked;
}

std::optional<Entry> MqttSink::ask_again(BootTime now, bool emergency) {
  if (window_.room(now, emergency) == 0) return std::nullopt;
  const auto entry =
      refusals_.take_due(now, emergency, [this](queue::ClassId cls) { return !scheduler_.state(cls).paused; });
  if (entry) window_.begin(*entry);
  return entry;
}

void MqttSink::publish_at_hand(std::vector<Entry>& entries) {
  std::erase_if(entries, [this](const Entry& entry) {
    const auto* message = at_hand_.find(entry.id);
    if (message) publish(entry, *message);
    return message != nullptr;
  });
  write_ends();
}

void MqttSink::fetch(std::vector<Entry> entries) {
  publish_at_hand(entries);
  if (entries.empty()) return;
  std::vector<queue::MessageId> ids;
  for (const Entry& entry : entries) ids.push_back(entry.id);
  runner_->read([ids = std::move(ids)](queue::StoreReader& reader) { return reader.edge_bodies(ids); },
                [this, alive = std::weak_ptr<int>(alive_),
                 entries = std::move(entries)](const Result<std::vector<EdgeBody>>& messages) {
                  if (alive.expired()) return;
                  if (messages) unreadable_.clear();
                  messages ? publish_all(entries, *messages) : unreadable(entries, messages.error());
                  write_ends();
                  pump();
                });
}

// One damaged row must not stop the others: each alone, and what fails alone is tried again later.
void MqttSink::unreadable(const std::vector<Entry>& entries, const Error& error) {
  if (unreadable_ != error.message)
    spdlog::error("{}: cannot read messages: {}", options_.mqtt.client_id, error.message);
  unreadable_ = error.message;
  for (const Entry& entry : entries) {
    if (!window_.waits(entry.id)) continue;
    entries.size() > 1 ? fetch({entry}) : window_.again(entry.id, clock_->now());
  }
}

void MqttSink::publish_all(const std::vector<Entry>& entries, const std::vector<EdgeBody>& messages) {
  auto message = messages.begin();
  for (const Entry& entry : entries) {
    const bool found = message != messages.end() && message->body.id == entry.id;
    // Since it was asked for, the connection may have been lost, or it was published in a new one.
    if (window_.waits(entry.id)) {
      if (found) {
        publish(entry, *message);
      } else {
        spdlog::warn("{}: message {} is not published: its body is gone", options_.mqtt.client_id, entry.id);
        end(entry.id, State::kDropped, DropReason::kUnreadable);
      }
    }
    if (found) ++message;
  }
}

void MqttSink::publish(const Entry& entry, const EdgeBody& message) {
  if (options_.may_leave && !options_.may_leave(entry, message)) {
    ++counted_.withheld;
    return end(entry.id, State::kDropped, DropReason::kConsent);
  }
  const std::string& gateway = message.peer.empty() ? options_.own_name : message.peer;
  const auto topic = outgoing_topic(options_.prefix, gateway, message.body.topic);
  if (!topic) return refuse(entry, DropReason::kRefused, topic.error().message);
  const std::string id = tulpar_id(message.origin, entry.id);
  const std::size_t size = publish_size(*topic, id, message.body.payload.size(), session_.v5);
  if (session_.max_packet != 0 && size > session_.max_packet) {
    return refuse(entry, DropReason::kTooLarge,
                  fmt::format("{} bytes, the broker takes {}", size, session_.max_packet));
  }
  const auto packet = client_.publish(*topic, message.body.payload, id);
  if (packet) return window_.sent(entry.id, *packet);
  spdlog::warn("{}: message {}: {}", options_.mqtt.client_id, entry.id, packet.error().message);
  window_.again(entry.id, clock_->now());
}

void MqttSink::on_acks(const std::vector<MqttAck>& acks) {
  TULPAR_FAIL_POINT("sink.acknowledged");
  for (const MqttAck& ack : acks) {
    const auto entry = window_.answered(ack.packet);
    if (!entry) continue;
    const std::string answer =
        fmt::format("the broker says 0x{:02x}, {}", ack.reason, mosquitto_reason_string(ack.reason));
    switch (publish_outcome(ack.reason)) {
      case PublishOutcome::kTaken:
        ++counted_.published;
        for (const Entry& other : refusals_.passed(*entry)) scheduler_.give_back(other);
        end(entry->id, State::kDelivered);
        break;
      case PublishOutcome::kLater:
        spdlog::warn("{}: message {}, trying again: {}", options_.mqtt.client_id, entry->id, answer);
        window_.again(entry->id, clock_->now());
        break;
      case PublishOutcome::kForbidden:
        set_aside(*entry, answer);
        break;
      case PublishOutcome::kRefused:
        refuse(*entry, DropReason::kRefused, answer);
        break;
    }
  }
  write_ends();
  pump();
}

void MqttSink::refuse(const Entry& entry, DropReason why, std::string_view text) {
  if (entry.cls == queue::kEmergency) return set_aside(entry, text);
  ++counted_.refused;
  spdlog::warn("{}: message {} is not published: {}", options_.mqtt.client_id, entry.id, text);
  end(entry.id, State::kDropped, why);
}

void MqttSink::set_aside(const Entry& entry, std::string_view text) {
  // Once for each reason: each of them is asked again every minute.
  if (refusals_.size() == 0 || refusal_ != text)
    spdlog::warn("{}: message {} is kept and tried again: {}", options_.mqtt.client_id, entry.id, text);
  refusal_ = text;
  window_.finish(entry.id);
  refusals_.add(entry, clock_->now());
}

void MqttSink::end(queue::MessageId id, State state, DropReason why) {
  window_.settle(id);
  refusals_.ended(id);
  at_hand_.forget(id);
  ends_.push_back({id, state, why});
}

void MqttSink::end_all(const std::vector<Entry>& entries, State state, DropReason why) {
  if (entries.empty()) return;
  for (const Entry& entry : entries) end(entry.id, state, why);
  write_ends();
}

void MqttSink::write_ends() {
  if (writing_ || ends_.empty() || write_due_) return;
  writing_ = true;
  runner_->write(
      [ends = ends_, bit = options_.bit](queue::Store& store) {
        for (const End& end : ends) store.end_at_sink(end.id, bit, end.state, end.why);
      },
      [this, alive = std::weak_ptr<int>(alive_), ends = ends_](const Result<void>& result) {
        if (!alive.expired()) written(ends, result);
      });
  ends_.clear();
}

void MqttSink::written(const std::vector<End>& ends, const Result<void>& result) {
  TULPAR_FAIL_POINT("sink.noted");
  writing_ = false;
  if (result) {
    for (const End& end : ends) window_.finish(end.id);
    if (options_.changed) options_.changed();
  } else {
    spdlog::error("{}: cannot store what was published, trying again: {}", options_.mqtt.client_id,
                  result.error().message);
    ends_.insert(ends_.begin(), ends.begin(), ends.end());
    write_due_ = clock_->now() + kStoreRetry;
  }
  write_ends();
  pump();
}

std::optional<BootTime> MqttSink::next_wake() const {
  const auto earlier = [](std::optional<BootTime> a, std::optional<BootTime> b) {
    return a && b ? std::min(*a, *b) : a ? a : b;
  };
  auto wake = earlier(write_due_, scheduler_.next_wake(clock_->now()));
  if (connected_) wake = earlier(wake, earlier(window_.next_wake(), refusals_.next_wake()));
  return refusals_.size() > 0 ? earlier(wake, refusals_looked_at_ + kRefusalsEvery) : wake;
}

void MqttSink::set_timer() {
  const auto wake = next_wake();
  if (!wake) return;
  // A retry that is due may have to wait for what is under way, whose end wakes us too; the timer need not
  // hurry.
  timer_.expires_after(std::max(*wake - clock_->now(), kStoreRetry));
  timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](const boost::system::error_code& cancelled) {
    if (!cancelled && !alive.expired()) on_timer();
  });
}

void MqttSink::on_timer() {
  if (write_due_ && *write_due_ <= clock_->now()) write_due_.reset();
  write_ends();
  pump();
}

SinkStatus MqttSink::status() const {
  SinkStatus status = counted_;
  const MqttStatus broker = client_.status();
  status.connected = connected_;
  status.queued = scheduler_.size() + window_.under_way() + window_.aside() + refusals_.size();
  status.forbidden = refusals_.size();
  if (!connected_) {
    status.note = broker.problem.empty() ? "connecting" : broker.problem;
  } else if (refusals_.size() > 0) {
    status.note =
        fmt::format("{} of the messages ({} of them emergencies) are refused, kept and tried again: {}",
                    refusals_.size(), refusals_.emergencies(), refusal_);
  } else if (!broker.v5) {
    status.note = "the broker speaks only MQTT 3.1.1: publications there carry no tulpar-id";
  } else if (window_.aside() > 0) {
    status.note = fmt::format("the broker does not take {} of the messages for now", window_.aside());
  }
  return status;
}

MqttOptions sink_options(const config::Sink& sink, std::string client_id) {
  return {.host = sink.host,
          .port = sink.port,
          .username = sink.username,
          .password = sink.password,
          .tls = sink.tls,
          .client_id = std::move(client_id)};
}

}  // namespace tulpar::bridge
