// SPDX-License-Identifier: Apache-2.0
#include "gateway/ingest.hpp"

#include <spdlog/spdlog.h>

#include "config/fail_point.hpp"

namespace tulpar {

struct Ingest::Group {
  std::vector<queue::NewMessage> messages;
  std::vector<std::uint64_t> fingerprints;  // beside them
  std::vector<queue::BrokerMark> marks;
};

void Ingest::take(std::vector<bridge::MqttMessage> group, std::function<void(bool stored)> done) {
  TULPAR_FAIL_POINT("ingest.read");
  auto job = std::make_shared<Group>();
  for (auto& incoming : group) {
    if (incoming.mid) job->marks.push_back({incoming.mid, incoming.fingerprint});
    auto known = lifeline_ ? lifeline_->recall(incoming.fingerprint) : std::nullopt;
    auto message = known ? std::move(*known) : station_->judge(incoming.topic, std::move(incoming.payload));
    const Way way = route_(message);
    if (way == Way::kLater) return done(false);
    if (way == Way::kNobody) continue;
    if (lifeline_) lifeline_->admit(incoming.fingerprint, message);
    job->messages.push_back(std::move(message));
    job->fingerprints.push_back(incoming.fingerprint);
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
        done(accepted.has_value());
      });
}

void Ingest::tell_lifeline(const Group& group, const Result<std::vector<queue::Accepted>>& accepted) {
  if (!lifeline_) return;
  if (!accepted) return lifeline_->refused(station_->clock().now());
  for (std::size_t i = 0; i < group.messages.size(); ++i)
    if (group.messages[i].number) lifeline_->stored(group.fingerprints[i], (*accepted)[i].entry.id != 0);
  lifeline_->committed();
}

void Ingest::overhear(bridge::MqttMessage incoming) {
  if (lifeline_->overheard(incoming.fingerprint)) return;
  auto message = station_->judge(incoming.topic, std::move(incoming.payload));
  if (route_(message) == Way::kStored) lifeline_->overheard(incoming.fingerprint, std::move(message));
}

}  // namespace tulpar
