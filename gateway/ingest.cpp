// SPDX-License-Identifier: Apache-2.0
#include "gateway/ingest.hpp"

#include <spdlog/spdlog.h>

#include "config/fail_point.hpp"

namespace tulpar {
namespace {

// Four groups; a bound for what is never delivered again.
constexpr std::size_t kMostVerdicts = 4096;

}  // namespace

struct Ingest::Group {
  std::vector<queue::NewMessage> messages;
  std::vector<std::uint64_t> fingerprints;  // beside them
  std::vector<bool> again;                  // likewise: the broker delivers it until it is acknowledged
  std::vector<queue::BrokerMark> marks;
};

void Ingest::take(std::vector<bridge::MqttMessage> group, std::function<void(bool stored)> done) {
  TULPAR_FAIL_POINT("ingest.read");
  auto job = std::make_shared<Group>();
  for (auto& incoming : group) {
    if (incoming.mid) job->marks.push_back({incoming.mid, incoming.fingerprint});
    queue::NewMessage message;
    const Way way = judge(incoming, message);
    if (way == Way::kLater) {
      keep_verdicts(*job);
      return done(false);
    }
    if (way == Way::kNobody) continue;
    if (lifeline_) lifeline_->admit(incoming.fingerprint, incoming.mid != 0, message, station_->clock().now());
    job->messages.push_back(std::move(message));
    job->fingerprints.push_back(incoming.fingerprint);
    job->again.push_back(incoming.mid != 0);
  }
  if (lifeline_) lifeline_->begin(station_->clock().now());
  station_->runner().write(
      [job, source = source_](queue::Store& store) {
        store.remember(source, job->marks);
        return store.accept(job->messages);
      },
      [this, job, done = std::move(done)](Result<std::vector<queue::Accepted>> accepted) {
        if (!accepted) spdlog::error("cannot store what {} delivered: {}", source_, accepted.error().message);
        TULPAR_FAIL_POINT("ingest.committed");
        if (accepted) accepted_(*accepted, job->messages);
        tell_lifeline(*job, accepted);
        if (!accepted) keep_verdicts(*job);
        done(accepted.has_value());
      });
}

Ingest::Way Ingest::judge(bridge::MqttMessage& incoming, queue::NewMessage& message) {
  const BootTime now = station_->clock().now();
  const bool again = incoming.mid != 0;
  auto verdict = again ? verdicts_.extract(incoming.fingerprint) : Verdicts::node_type();
  if (verdict && now - verdict.mapped().at <= Lifeline::kRemembered) {
    message = std::move(verdict.mapped().message);
  } else if (auto known = lifeline_ ? lifeline_->recall(incoming.fingerprint, again, now) : std::nullopt) {
    message = std::move(*known);
  } else {
    message.topic = incoming.topic;
    message.payload = std::move(incoming.payload);
    return route_(message);
  }
  message.payload = std::move(incoming.payload);
  return Way::kStored;
}

void Ingest::keep_verdicts(Group& group) {
  const BootTime now = station_->clock().now();
  std::erase_if(verdicts_, [&](const auto& item) { return now - item.second.at > Lifeline::kRemembered; });
  for (std::size_t i = 0; i < group.messages.size() && verdicts_.size() < kMostVerdicts; ++i) {
    auto& message = group.messages[i];
    const bool charged = message.cls == queue::kEmergency || message.flagged;
    if (!charged || !group.again[i] || message.drop != queue::DropReason::kNone) continue;
    message.payload.clear();
    verdicts_.emplace(group.fingerprints[i], Verdict{std::move(message), now});
  }
}

void Ingest::tell_lifeline(const Group& group, const Result<std::vector<queue::Accepted>>& accepted) {
  if (!lifeline_) return;
  const BootTime now = station_->clock().now();
  if (!accepted) return lifeline_->refused(now);
  for (std::size_t i = 0; i < group.messages.size(); ++i)
    if (group.messages[i].number) lifeline_->stored(group.fingerprints[i], (*accepted)[i].entry.id != 0, now);
  lifeline_->committed();
}

void Ingest::overhear(bridge::MqttMessage incoming) {
  const BootTime now = station_->clock().now();
  if (lifeline_->overheard(incoming.fingerprint, now)) return;
  queue::NewMessage message;
  if (judge(incoming, message) == Way::kStored)
    lifeline_->overheard(incoming.fingerprint, std::move(message), now);
}

}  // namespace tulpar
