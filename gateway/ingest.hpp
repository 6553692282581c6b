// SPDX-License-Identifier: Apache-2.0
//
// Takes groups of messages from a broker, has them stored in one transaction with the marks that tell
// redeliveries, and answers when they are on disk.
//
// On the loop thread. One group at a time per source; the source reads nothing before the answer (DESIGN.md
// §1).
#pragma once

#include <functional>
#include <map>

#include "bridge/mqtt_source.hpp"
#include "gateway/lifeline.hpp"
#include "gateway/station.hpp"

namespace tulpar {

class Ingest {
 public:
  enum class Way {
    kStored,  // the message says where to, or why it is dropped
    kNobody,  // it is none of ours
    kLater,   // the group cannot be taken now: the broker is to deliver it again
  };
  // Given topic and payload; judges it, says where to.
  using Route = std::function<Way(queue::NewMessage& message)>;
  using Accepted =
      std::function<void(const std::vector<queue::Accepted>&, const std::vector<queue::NewMessage>&)>;
  // `lifeline`: for emergencies, while the store does not take them; or none.
  Ingest(Station& station, std::string source, Route route, Accepted accepted, Lifeline* lifeline = nullptr)
      : station_(&station),
        source_(std::move(source)),
        route_(std::move(route)),
        accepted_(std::move(accepted)),
        lifeline_(lifeline) {}

  void take(std::vector<bridge::MqttMessage> group, std::function<void(bool stored)> done);
  // Heard beside the source, while that waits for the store: an emergency is not to wait as well.
  void overhear(bridge::MqttMessage message);

 private:
  struct Group;
  Way judge(bridge::MqttMessage& incoming, queue::NewMessage& message);
  void keep_verdicts(Group& group);
  void tell_lifeline(const Group& group, const Result<std::vector<queue::Accepted>>& accepted);

  Station* station_;
  std::string source_;
  Route route_;
  Accepted accepted_;
  Lifeline* lifeline_;
  struct Verdict {
    queue::NewMessage message;  // without payload
    BootTime at{};
  };
  using Verdicts = std::multimap<std::uint64_t, Verdict>;
  // Emergencies of groups that were not stored, by fingerprint: delivered again, they do not use up their
  // node's allowance once more. For as long as the lifeline remembers.
  Verdicts verdicts_;
};

}  // namespace tulpar
