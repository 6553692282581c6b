// SPDX-License-Identifier: Apache-2.0
//
// The demo assembled, without its screen: one simulated mesh, two equal links, Tulpar over one of them and the
// plain bridge over the other.
//
// Thread rule: made, used and destroyed on the thread that runs `io`, which lives as long as the show (its
// processes die with that thread). Owns every process, socket and file; all go with it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "gateway/demo/gateway_watch.hpp"
#include "gateway/demo/lane.hpp"
#include "gateway/demo/link_emulator.hpp"
#include "gateway/demo/options.hpp"
#include "gateway/demo/plain_bridge.hpp"
#include "gateway/demo/races.hpp"
#include "gateway/demo/state.hpp"
#include "gateway/demo/tulpar_pair.hpp"

namespace tulpar::demo {

class Show {
 public:
  // Blocks until all runs and hears, one or two seconds; runs `io` meanwhile, and gives up soon after a stop
  // was requested. `program`: this executable. When it returns the backlog is published. REQUIRES: options
  // that check() lets pass.
  static Result<std::unique_ptr<Show>> start(boost::asio::io_context& io, const Clock& clock,
                                             const DemoOptions& options, const std::string& program,
                                             const std::stop_token& stop);

  // Waits for all processes to end, each at most two seconds.
  ~Show();
  Show(const Show&) = delete;
  Show& operator=(const Show&) = delete;

  // Publishes what is due, the SOS that goes out by itself among it. An error: a part has ended, the show is
  // over.
  Result<void> step();
  void sos();
  void reply();
  // The satellite goes, or comes back; on both lanes.
  void toggle_link();

  // Without news (narrator.hpp).
  DemoState state() const;

 private:
  Show(boost::asio::io_context& io, const Clock& clock, const DemoOptions& options);
  Result<void> start_parts(const std::string& program, const std::stop_token& stop);
  Result<void> start_bridge();
  Result<void> start_tulpar(const std::string& program);
  Result<void> start_lanes();
  Result<void> check_parts() const;
  void publish(const MeshMessage& message);
  FeedLine describe(const MeshMessage& message) const;
  std::uint16_t make_link(std::optional<LinkEmulator>& link, std::uint16_t target);
  LaneView view(const Lane& lane, const LinkEmulator& link) const;

  boost::asio::io_context& io_;
  const Clock& clock_;
  DemoOptions options_;
  Random random_;
  MeshSimulator mesh_;
  std::unordered_map<NodeNum, std::string> names_;
  BootTime began_{};
  bool first_sos_ = false;
  std::size_t replies_ = 0;
  std::uint64_t backlog_ = 0;
  Races races_;
  std::optional<LinkEmulator> tulpar_link_, bridge_link_;
  std::unique_ptr<PlainBridge> bridge_;
  std::unique_ptr<TulparPair> tulpar_;
  config::Plan plan_;
  std::unique_ptr<Lane> tulpar_lane_, bridge_lane_;
  std::optional<GatewayWatch> watch_;
};

}  // namespace tulpar::demo
