// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_source.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "bridge/fingerprint.hpp"
#include "bridge/topic_filter.hpp"

namespace tulpar::bridge {
namespace {

// "$share/GROUP/FILTER" subscribes FILTER (MQTT 5.0, 4.8.2).
std::string_view plain_filter(std::string_view filter) {
  if (!filter.starts_with("$share/")) return filter;
  const auto group_end = filter.find('/', 7);
  return group_end == std::string_view::npos ? filter : filter.substr(group_end + 1);
}

}  // namespace

MqttSource::MqttSource(boost::asio::io_context& loop, Options options, OnGroup on_group)
    : managed_(options.managed),
      on_group_(std::move(on_group)),
      client_(loop, std::move(options.mqtt), *this),
      redelivery_(MqttHandle::kReceiveMaximum, options.stored) {}

void MqttSource::on_connected(const MqttSession& session) {
  session_lost_ = was_connected_ && !session.resumed;
  was_connected_ = true;
  redelivery_.connected(session.resumed);
}

bool MqttSource::wanted(const MqttMessage& message) const {
  if (!valid_topic(message.topic) || message.topic.front() == '$') return false;
  const auto& filters = client_.options().filters;
  return std::any_of(filters.begin(), filters.end(), [&](const std::string& filter) {
    return topic_matches(plain_filter(filter), message.topic);
  });
}

bool MqttSource::is_new(const MqttMessage& message) {
  if (redelivery_.is_copy({message.mid, message.fingerprint})) {
    ++counted_.copies;
  } else if (!message.tulpar_id.empty()) {
    ++counted_.echoes;
  } else if (!wanted(message)) {
    ++counted_.unwanted;
  } else if (message.retain && !retained_.is_news(fingerprint(as_bytes(message.topic)), message.fingerprint)) {
    ++counted_.old_retained;
  } else {
    return true;
  }
  return false;
}

void MqttSource::on_messages(std::vector<MqttMessage> group) {
  std::erase_if(group, [this](const MqttMessage& message) { return !is_new(message); });
  if (group.empty()) return;
  std::vector<Heard> heard;
  heard.reserve(group.size());
  for (const MqttMessage& message : group) {
    heard.push_back({{message.mid, message.fingerprint}, fingerprint(as_bytes(message.topic))});
  }
  client_.hold();
  auto pending = std::make_shared<bool>(true);
  on_group_(std::move(group),
            [this, alive = std::weak_ptr<int>(alive_), pending, heard = std::move(heard)](bool stored) {
              if (!alive.expired() && std::exchange(*pending, false)) finish(heard, stored);
            });
}

void MqttSource::finish(const std::vector<Heard>& group, bool stored) {
  refused_ = !stored;
  if (stored) {
    for (const Heard& heard : group) {
      redelivery_.stored(heard.mark);
      retained_.heard(heard.topic, heard.mark.fingerprint);
    }
    counted_.messages += group.size();
  } else {
    client_.drop("the messages could not be stored; the broker keeps them");
  }
  client_.resume();
}

SourceStatus MqttSource::status() const {
  SourceStatus status = counted_;
  status.connected = client_.status().connected;
  status.durable = managed_;
  status.note = note();
  return status;
}

std::string MqttSource::note() const {
  const MqttStatus now = client_.status();
  if (refused_) return "messages cannot be stored; the broker keeps them until they can";
  if (!now.problem.empty()) return now.problem;
  if (!now.connected) return "connecting";
  if (session_lost_) return "the broker forgot our session; what was published meanwhile is lost";
  if (!now.v5)
    return "the broker speaks only MQTT 3.1.1: Tulpar's own publications cannot be told from others there";
  if (!managed_)
    return "this broker is not Tulpar's own: what nodes publish at QoS 0 is lost while Tulpar is away";
  return "";
}

MqttOptions source_options(const config::Mqtt& mqtt, std::string client_id) {
  return {.host = mqtt.host,
          .port = mqtt.port,
          .username = mqtt.username,
          .password = mqtt.password,
          .tls = mqtt.tls,
          .client_id = std::move(client_id),
          .session_expiry = kThirtyDays,
          .filters = mqtt.topics};
}

MqttOptions source_options(const config::Source& source, std::string client_id,
                           std::vector<std::string> filters) {
  return {.host = source.host,
          .port = source.port,
          .username = source.username,
          .password = source.password,
          .tls = source.tls,
          .client_id = std::move(client_id),
          .session_expiry = kThirtyDays,
          .filters = std::move(filters)};
}

}  // namespace tulpar::bridge
