// SPDX-License-Identifier: Apache-2.0
//
// The relay's gateways: one LinkPeer each, loaded when it is enrolled, joined with whatever transport it comes
// by.
//
// On the loop thread. Looks every kLookEvery whether someone was enrolled or revoked.
#pragma once

#include <map>

#include "gateway/link/enrolment.hpp"
#include "gateway/station.hpp"
#include "gateway/web/status.hpp"

namespace tulpar {

class Gateways {
 public:
  static constexpr Millis kLookEvery = std::chrono::seconds(2);

  struct Hooks {
    std::function<void(const std::string& gateway, const std::vector<queue::Accepted>&)> arrived;
    std::function<void(link::LinkPeer&)> loaded;
    std::function<void()> changed;
    std::function<void()> wake;
  };
  Gateways(Station& station, const link::EnrolmentBook& book, Hooks hooks);

  // Loads all that are enrolled, then calls done. Throws std::runtime_error, from the loop, if one cannot be
  // loaded.
  void load_all(std::function<void()> done);
  // An enrolled gateway came.
  void attach(const std::string& name, std::shared_ptr<link::Transport> transport);
  // nullptr: not enrolled, or not loaded yet.
  link::LinkPeer* find(const std::string& name);
  // It is enrolled, and is there when the store has answered.
  bool loading(const std::string& name) const { return loading_.contains(name); }
  std::vector<link::LinkPeer*> peers();
  std::vector<web::GatewayView> views();
  void add(queue::PeerId peer, const queue::Accepted& accepted);

  void step();
  std::optional<BootTime> next_wake() const;
  // Says goodbye to all; then done.
  void stop(std::function<void()> done);

 private:
  using Loaded = std::function<void(Result<link::LinkPeer*>)>;
  void load(const std::string& name, Loaded done);
  void look();
  void stop_if_all_gone();

  Station* station_;
  const link::EnrolmentBook* book_;
  Hooks hooks_;
  std::map<std::string, std::unique_ptr<link::LinkPeer>> peers_;
  std::map<std::string, std::vector<Loaded>> loading_;
  std::optional<BootTime> looked_;
  std::function<void()> stopped_;
};

// "down/{gateway}/" → "down/+/#".
std::string gateway_filter(const std::string& prefix);
// The gateway's name and its topic, from a topic under that prefix; nothing if it is not under it.
std::optional<std::pair<std::string, std::string>> split_gateway(const std::string& prefix,
                                                                 const std::string& topic);

}  // namespace tulpar
