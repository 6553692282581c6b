// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateways.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace tulpar {
namespace {

constexpr std::string_view kPlaceholder = "{gateway}";

}  // namespace

Gateways::Gateways(Station& station, const link::EnrolmentBook& book, Hooks hooks)
    : station_(&station), book_(&book), hooks_(std::move(hooks)) {}

void Gateways::load(const std::string& name, Loaded done) {
  if (auto found = peers_.find(name); found != peers_.end()) return done(found->second.get());
  auto& waiting = loading_[name];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  link::PeerHooks hooks{
      .classify = [this](link::LinkMessage message) { return station_->judge_arrived(std::move(message)); },
      .arrived =
          [this, name](const auto& accepted) {
            hooks_.arrived(name, accepted);
            hooks_.changed();
          },
      .unstored = [this, name](const auto& messages) { station_->deliver_unstored(name, messages); },
      .settled = [this] { hooks_.changed(); },
      .disconnected =
          [this, name](const std::string& why) {
            spdlog::info("gateway {}: gone: {}", name, why);
            hooks_.changed();
            stop_if_all_gone();
          },
      .wake = [this] { hooks_.wake(); }};
  link::LinkPeer::load(station_->runner(), station_->codec(), station_->clock(),
                       {.name = name, .link = name, .classes = station_->options().classes, .initiator = false},
                       std::move(hooks), [this, name](Result<std::unique_ptr<link::LinkPeer>> peer) {
                         auto waiting = loading_.extract(name);
                         if (peer) {
                           auto& loaded = *(peers_[name] = std::move(*peer));
                           hooks_.loaded(loaded);
                           for (auto& done : waiting.mapped()) done(&loaded);
                         } else {
                           spdlog::error("gateway {}: cannot load its queue: {}", name, peer.error().message);
                           for (auto& done : waiting.mapped()) done(peer.error());
                         }
                         hooks_.wake();
                       });
}

void Gateways::load_all(std::function<void()> done) {
  const auto found = book_->names();
  if (!found) throw std::runtime_error(found.error().message);
  const auto& names = *found;
  looked_ = station_->clock().now();
  if (names.empty()) return done();
  auto left = std::make_shared<std::size_t>(names.size());
  for (const auto& name : names)
    load(name, [left, done, name](Result<link::LinkPeer*> peer) {
      if (!peer)
        throw std::runtime_error(
            fmt::format("cannot load the queue of the gateway {}: {}", name, peer.error().message));
      if (--*left == 0) done();
    });
}

void Gateways::attach(const std::string& name, std::shared_ptr<link::Transport> transport) {
  spdlog::info("gateway {}: connected from {}", name, transport->peer_address());
  load(name, [this, transport](Result<link::LinkPeer*> peer) {
    if (stopped_ || !peer || !(*peer)->may_connect()) return transport->close("not now");
    (*peer)->attach(transport);
    hooks_.changed();
  });
}

link::LinkPeer* Gateways::find(const std::string& name) {
  const auto found = peers_.find(name);
  if (found != peers_.end()) return found->second.get();
  look();
  return nullptr;
}

std::vector<link::LinkPeer*> Gateways::peers() {
  std::vector<link::LinkPeer*> peers;
  for (auto& [name, peer] : peers_) peers.push_back(peer.get());
  return peers;
}

std::vector<web::GatewayView> Gateways::views() {
  std::vector<web::GatewayView> views;
  for (auto& [name, peer] : peers_) {
    const auto status = peer->status();
    web::GatewayView view{.name = name,
                          .connected = peer->connected(),
                          .last_contact = {},
                          .queued = static_cast<std::int64_t>(peer->scheduler().size())};
    if (status.last_contact) view.last_contact = station_->clock().now() - *status.last_contact;
    views.push_back(std::move(view));
  }
  return views;
}

void Gateways::add(queue::PeerId id, const queue::Accepted& accepted) {
  for (auto& [name, peer] : peers_)
    if (peer->id() == id) peer->add(accepted);
}

// Who was revoked is sent away and forgotten here; what was queued for it stays in the store, in case it is
// enrolled again.
void Gateways::look() {
  const auto found = book_->names();
  // Out of descriptors, say: nobody is revoked by that.
  if (!found) return spdlog::error("{}", found.error().message);
  const auto& names = *found;
  for (const auto& name : names)
    if (!peers_.contains(name) && !loading_.contains(name)) load(name, [](const Result<link::LinkPeer*>&) {});
  for (auto peer = peers_.begin(); peer != peers_.end();) {
    if (std::binary_search(names.begin(), names.end(), peer->first)) {
      ++peer;
    } else if (peer->second->connected()) {
      peer->second->detach(link::ByeReason::kRevoked);
      ++peer;
    } else {
      spdlog::info("gateway {}: revoked", peer->first);
      peer = peers_.erase(peer);
      hooks_.changed();
    }
  }
}

void Gateways::step() {
  const BootTime now = station_->clock().now();
  if (!looked_ || now - *looked_ >= kLookEvery) {
    looked_ = now;
    look();
  }
  for (auto& [name, peer] : peers_) peer->step();
}

std::optional<BootTime> Gateways::next_wake() const {
  BootTime wake = looked_ ? *looked_ + kLookEvery : station_->clock().now();
  for (const auto& [name, peer] : peers_)
    if (const auto at = peer->next_wake()) wake = std::min(wake, *at);
  return wake;
}

void Gateways::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  for (auto& [name, peer] : peers_) peer->detach(link::ByeReason::kShuttingDown);
  stop_if_all_gone();
}

void Gateways::stop_if_all_gone() {
  if (!stopped_) return;
  for (const auto& [name, peer] : peers_)
    if (peer->connected()) return;
  std::exchange(stopped_, [] {})();
}

std::string gateway_filter(const std::string& prefix) {
  std::string filter = prefix;
  if (const auto at = filter.find(kPlaceholder); at != filter.npos)
    filter.replace(at, kPlaceholder.size(), "+");
  return filter + "#";
}

std::optional<std::pair<std::string, std::string>> split_gateway(const std::string& prefix,
                                                                 const std::string& topic) {
  const auto at = prefix.find(kPlaceholder);
  if (at == prefix.npos || topic.compare(0, at, prefix, 0, at) != 0) return std::nullopt;
  const std::string behind = prefix.substr(at + kPlaceholder.size());
  const auto end = topic.find(behind, at);
  if (end == topic.npos || end == at || end + behind.size() >= topic.size()) return std::nullopt;
  return std::pair{topic.substr(at, end - at), topic.substr(end + behind.size())};
}

}  // namespace tulpar
