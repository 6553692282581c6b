// SPDX-License-Identifier: Apache-2.0
//
// MqttSink: what the operator, a full store and a failing disk do to what waits there.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "bridge/mqtt_outgoing.hpp"
#include "bridge/mqtt_sink.hpp"

namespace tulpar::bridge {
namespace {

// Emergencies kept while there is neither a disk nor a broker. Their senders have them still.
constexpr std::size_t kMostUnstored = 64;
// Ids remembered, so that a peer that sends again what was refused has it published once.
constexpr std::size_t kMostSeen = 1024;

}  // namespace

using queue::DropReason;
using queue::Entry;
using queue::State;

void MqttSink::publish_unstored(const queue::EdgeBody& message) {
  const Entry emergency{.cls = queue::kEmergency};
  if (options_.may_leave && !options_.may_leave(emergency, message)) return;
  if (unstored_.size() >= kMostUnstored)
    return spdlog::error("{}: {} emergencies wait in memory already; one more waits for the disk",
                         options_.mqtt.client_id, kMostUnstored);
  if (unstored_seen_.size() >= kMostSeen) unstored_seen_.clear();
  if (!unstored_seen_.insert(tulpar_id(message.origin, 0)).second) return;
  unstored_.push_back(message);
  send_unstored();
}

void MqttSink::send_unstored() {
  for (; connected_ && !unstored_.empty(); unstored_.pop_front()) {
    const auto& message = unstored_.front();
    const auto topic = outgoing_topic(options_.prefix, message.peer, message.body.topic);
    const auto packet =
        topic ? client_.publish(*topic, message.body.payload, tulpar_id(message.origin, 0)) : topic.error();
    if (packet) {
      spdlog::warn("{}: {}: an emergency is published from memory, the disk does not take it",
                   options_.mqtt.client_id, *topic);
      continue;
    }
    spdlog::error("{}: an emergency cannot be published: {}", options_.mqtt.client_id, packet.error().message);
    // It will be sent again, as the disk did not take it.
    unstored_seen_.erase(tulpar_id(message.origin, 0));
  }
}

bool MqttSink::drop(queue::MessageId id) {
  auto entry = scheduler_.remove(id);
  if (!entry) entry = refusals_.remove(id);
  if (!entry) return false;
  end_all({*entry}, State::kDropped, DropReason::kOperator);
  return true;
}

bool MqttSink::reclassify(queue::MessageId id, queue::ClassId cls) {
  if (auto refused = refusals_.remove(id)) {
    refused->cls = cls;
    scheduler_.give_back(*refused);
  } else if (!scheduler_.reclassify(id, cls)) {
    return false;
  }
  wake();
  return true;
}

void MqttSink::pause(queue::ClassId cls, bool paused) {
  scheduler_.pause(cls, paused);
  wake();
}

void MqttSink::evict(std::uint64_t bytes) {
  std::vector<Entry> evicted;
  std::uint64_t freed = 0;
  while (freed < bytes) {
    auto cls = static_cast<queue::ClassId>(options_.classes.size() - 1);
    while (cls > queue::kEmergency && scheduler_.state(cls).queued == 0) --cls;
    const auto refused = refusals_.least_urgent();
    if (refused && *refused >= cls) {
      evicted.push_back(*refusals_.take_least_urgent());
      freed += evicted.back().bytes;
    } else if (cls == queue::kEmergency) {
      break;
    } else {
      for (const Entry& entry :
           scheduler_.take_for_eviction(std::min(bytes - freed, scheduler_.state(cls).queued_bytes))) {
        evicted.push_back(entry);
        freed += entry.bytes;
      }
    }
  }
  end_all(evicted, State::kDropped, DropReason::kStoreFull);
}

queue::ClassState MqttSink::state(queue::ClassId cls) const {
  auto state = scheduler_.state(cls);
  state.queued_bytes += refusals_.bytes(cls);
  if (const auto oldest = refusals_.oldest(cls))
    state.oldest = std::min(state.oldest.value_or(*oldest), *oldest);
  return state;
}

std::uint64_t MqttSink::waiting_bytes() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < options_.classes.size(); ++i)
    sum += state(static_cast<queue::ClassId>(i)).queued_bytes;
  return sum;
}

}  // namespace tulpar::bridge
