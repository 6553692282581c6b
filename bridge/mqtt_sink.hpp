// SPDX-License-Identifier: Apache-2.0
//
// Publishes what the store owes to one broker (MQTT 5, QoS 1), each message with the same `tulpar-id` on every
// try.
//
// On the loop thread; `loop`, `clock` and `runner` must outlive it, but for destruction (which asks nothing of
// them). At least once: at most SendWindow::kMost are under way until the store has their end on disk, so many
// are sent twice if the machine dies. The most urgent go first, nodes share fairly. Nothing expires, waits for
// company or gives way to a later one here: the link is paid for by now, and a broker that was away for a week
// gets all of it. What the broker, its audience or the topic rules out is released with its reason and logged.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/mqtt_client.hpp"
#include "bridge/send_window.hpp"
#include "queue/scheduler.hpp"
#include "queue/store_runner.hpp"

namespace tulpar::bridge {

struct SinkStatus {
  bool connected = false;
  std::string note;        // for the operator; empty: all is well
  std::size_t queued = 0;  // owed and not acknowledged, those under way included
  std::uint64_t published = 0, refused = 0, withheld = 0;
};

class MqttSink final : private MqttClient::Handler {
 public:
  // False: its audience may not have it.
  using MayLeave = std::function<bool(const queue::Entry&, const queue::EdgeBody&)>;
  struct Options {
    MqttOptions mqtt;
    std::string prefix;    // as config::Sink::prefix
    std::string own_name;  // takes the place of {gateway} for what was accepted here
    int bit = 0;           // the sink's, as Store::set_sinks() gave it
    std::vector<config::MessageClass> classes;
    MayLeave may_leave{};             // none: all may
    std::function<void()> changed{};  // the books have changed; none: nobody asks
  };
  MqttSink(boost::asio::io_context& loop, const Clock& clock, queue::StoreRunner& runner, Options options);

  void start() { client_.start(); }
  // Says goodbye. What is under way stays owed.
  void stop();

  // Owed to this sink: what load_edge() told at the start, and what was accepted since. Ids grow.
  void load(std::span<const queue::Entry> entries);
  void add(const queue::Entry& entry);
  // To drop, reclassify, pause or evict what waits here: the store is the caller's to tell. Then wake().
  queue::Scheduler& scheduler() { return scheduler_; }
  void wake();

  SinkStatus status() const;

 private:
  // How a message leaves; kNone: the broker has it.
  using End = std::pair<queue::MessageId, queue::DropReason>;

  void on_connected(const MqttSession& session) override;
  void on_disconnected() override;
  void on_acks(const std::vector<MqttAck>& acks) override;

  void pump();
  std::vector<queue::Entry> pick();
  void fetch(std::vector<queue::Entry> entries);
  void unreadable(const std::vector<queue::Entry>& entries, const Error& error);
  void publish_all(const std::vector<queue::Entry>& entries, const std::vector<queue::EdgeBody>& messages);
  void publish(const queue::Entry& entry, const queue::EdgeBody& message);
  void refuse(queue::MessageId id, queue::DropReason why, std::string_view text);
  void end(queue::MessageId id, queue::DropReason why);
  void write_ends();
  void written(const std::vector<End>& ends, const Result<void>& result);
  void set_timer();
  void on_timer();

  boost::asio::io_context* loop_;
  const Clock* clock_;
  queue::StoreRunner* runner_;
  Options options_;
  MqttClient client_;
  queue::Scheduler scheduler_;
  SendWindow window_;
  boost::asio::steady_timer timer_;
  MqttSession session_;
  bool connected_ = false;
  std::vector<End> ends_;  // decided, not written yet
  bool writing_ = false;
  std::optional<BootTime> write_due_;  // the store failed: not before this
  bool kicked_ = false;
  SinkStatus counted_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// How the configured broker is reached as a sink. It keeps no session: what was unacknowledged is sent anew by
// us.
MqttOptions sink_options(const config::Sink& sink, std::string client_id);

}  // namespace tulpar::bridge
