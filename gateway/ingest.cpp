// SPDX-License-Identifier: Apache-2.0
#include "gateway/ingest.hpp"

#include <spdlog/spdlog.h>

namespace tulpar {

void Ingest::take(std::vector<bridge::MqttMessage> group, std::function<void(bool stored)> done) {
  struct Group {
    std::vector<queue::NewMessage> messages;
    std::vector<queue::BrokerMark> marks;
  };
  auto job = std::make_shared<Group>();
  for (auto& incoming : group) {
    if (incoming.mid) job->marks.push_back({incoming.mid, incoming.fingerprint});
    auto message = station_->judge(incoming.topic, std::move(incoming.payload));
    if (route_(message)) job->messages.push_back(std::move(message));
  }
  station_->runner().write(
      [job, source = source_](queue::Store& store) {
        store.remember(source, job->marks);
        return store.accept(job->messages);
      },
      [this, job, done = std::move(done)](Result<std::vector<queue::Accepted>> accepted) {
        if (!accepted) spdlog::error("cannot store what {} delivered: {}", source_, accepted.error().message);
        if (accepted) accepted_(*accepted, job->messages);
        done(accepted.has_value());
      });
}

}  // namespace tulpar
