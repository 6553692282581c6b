// SPDX-License-Identifier: Apache-2.0
//
// The operator's view of a running gateway or relay: answers the web server from the station and its peers.
//
// On the loop thread. Figures that stand in the store are read again after something changed, at most every
// kRefresh, and kept in memory, so that no page waits for a disk.
#pragma once

#include <deque>
#include <map>

#include "gateway/plan_keeper.hpp"
#include "gateway/station.hpp"
#include "gateway/web/backend.hpp"

namespace tulpar {

class Desk : public web::Backend {
 public:
  static constexpr Millis kRefresh{250};

  // What differs between the two programs.
  struct Program {
    std::string name;
    bool edge_is_main = false;  // the relay: link → sinks; the gateway: mesh → link
    std::function<std::vector<link::LinkPeer*>()> peers;
    std::function<web::MeshStatus()> mesh;
    std::function<std::vector<web::GatewayView>()> gateways;
    std::function<std::string(std::size_t peer)> link_state;  // "" : as the peer says
    std::function<const std::optional<PlanFigures>*(const std::string& link)> plan;
    // The destination of a message that the operator sends, and its topic there. Error: none of that name.
    std::function<Result<std::pair<queue::PeerId, std::string>>(const std::string& topic)> route;
    std::function<void(const std::vector<queue::Accepted>&, queue::PeerId)> accepted;
    // One sentence: does it work, how long does the quota last.
    std::function<std::pair<bool, std::string>(const web::Status&)> verdict;
  };
  Desk(Station& station, Program program, std::function<void()> wake);

  // Something in the books may have changed.
  void changed();
  // What the store answered for messages from here; copies do not count.
  void count_accepted(const std::vector<queue::Accepted>& messages);
  // A peer that was loaded while the program runs: what the operator has paused is paused there, too.
  void joined(link::LinkPeer& peer);
  void step();
  std::optional<BootTime> next_wake() const;
  // Called after the figures were renewed.
  void on_renewed(std::function<void()> f) { renewed_ = std::move(f); }

  web::Status status() override;
  std::vector<std::string> class_names() override;
  std::string unhealthy() override;
  void messages(const queue::StoryFilter& filter, web::Done<std::vector<web::MessageView>> done) override;
  void story(queue::MessageId id, web::Done<web::MessageView> done) override;
  void send(web::SendRequest request, web::Done<queue::MessageId> done) override;
  void reclassify(queue::MessageId id, std::string cls, web::Done<void> done) override;
  void drop(queue::MessageId id, web::Done<void> done) override;
  web::Outcome<void> pause(const std::string& cls, bool paused) override;
  void usage(const web::UsageQuery& query, web::Done<std::vector<queue::UsageRow>> done) override;

 private:
  struct Figures {
    std::vector<queue::BookRow> books;
    std::map<std::string, queue::LinkBytes> today;
    std::int64_t size = 0;
  };
  void take(Figures figures);
  std::vector<web::ClassStatus> class_status(const std::vector<link::LinkPeer*>& peers);
  std::vector<web::LinkView> link_views(const std::vector<link::LinkPeer*>& peers);
  web::MessageView view(queue::Story story) const;
  // What waits at a link, or else at the sinks here.
  void find_queued(queue::MessageId id, std::function<bool(link::LinkPeer&)> act,
                   std::function<bool()> at_sinks, web::Done<void> done);
  std::int64_t accepted_last_minute() const;

  Station* station_;
  Program program_;
  std::function<void()> wake_, renewed_;
  BootTime started_;
  Figures figures_;
  std::vector<bool> paused_;
  bool dirty_ = true, reading_ = false;
  std::optional<BootTime> read_at_, delivered_at_;
  std::optional<std::int64_t> delivered_;                  // as of the last reading
  std::deque<std::pair<BootTime, std::size_t>> accepted_;  // by seconds, the last minute
};

}  // namespace tulpar
