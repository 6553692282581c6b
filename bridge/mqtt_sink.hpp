// SPDX-License-Identifier: Apache-2.0
//
// Publishes what the store owes to one broker (MQTT 5, QoS 1), each message with the same `tulpar-id` on every
// try.
//
// On the loop thread; `loop`, `clock` and `runner` must outlive it, but for destruction (which asks nothing of
// them). At least once: at most SendWindow::kMost are under way until the store has their end on disk, so many
// are sent twice if the machine dies. The most urgent go first, nodes share fairly. Nothing waits for company
// or gives way to a later one here: the link is paid for by now; but each class's TTL holds, or a broker that
// is away would fill the store. What the broker, its audience or the topic rules out is released with its
// reason and logged; what an access list forbids, and any emergency, is asked again for as long as it lives.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/mqtt_client.hpp"
#include "bridge/refusals.hpp"
#include "bridge/send_window.hpp"
#include "queue/at_hand.hpp"
#include "queue/scheduler.hpp"
#include "queue/store_runner.hpp"

namespace tulpar::bridge {

struct SinkStatus {
  bool connected = false;
  std::string note;           // for the operator; empty: all is well
  std::size_t queued = 0;     // owed and not acknowledged, those under way included
  std::size_t forbidden = 0;  // of these the broker refuses for now
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
  void add(const queue::Entry& entry);
  // An emergency, with what the disk has of it: it is not read again.
  void add(const queue::Entry& entry, queue::EdgeBody body);
  // An emergency that came over the link and that the store does not take just now: published once, as soon as
  // there is a connection, and owed to nobody. Stored later, it is published again with the same id.
  void publish_unstored(const queue::EdgeBody& message);

  // Takes out one that waits here; false: it does not (unknown, or under way). Its end is written.
  bool drop(queue::MessageId id);
  // False likewise; the store is the caller's to tell, once for all sinks.
  bool reclassify(queue::MessageId id, queue::ClassId cls);
  void pause(queue::ClassId cls, bool paused);
  // Same number and order.
  void set_policy(const std::vector<config::MessageClass>& classes);
  // Drops what waits, of the least urgent class the oldest first, but never an emergency, until `bytes` are
  // freed.
  void evict(std::uint64_t bytes);
  // What waits here of a class; what is under way is not counted.
  queue::ClassState state(queue::ClassId cls) const;
  std::uint64_t waiting_bytes() const;

  SinkStatus status() const;

 private:
  // How a message leaves; `why` where it is dropped.
  struct End {
    queue::MessageId id = 0;
    queue::State state = queue::State::kDelivered;
    queue::DropReason why = queue::DropReason::kNone;
  };

  void on_connected(const MqttSession& session) override;
  void on_disconnected() override;
  void on_acks(const std::vector<MqttAck>& acks) override;

  void send_unstored();
  void wake();
  void pump();
  void expire();
  std::vector<queue::Entry> pick();
  std::optional<queue::Entry> ask_again(BootTime now, bool emergency);
  void fetch(std::vector<queue::Entry> entries);
  void publish_at_hand(std::vector<queue::Entry>& entries);
  void unreadable(const std::vector<queue::Entry>& entries, const Error& error);
  void publish_all(const std::vector<queue::Entry>& entries, const std::vector<queue::EdgeBody>& messages);
  void publish(const queue::Entry& entry, const queue::EdgeBody& message);
  void refuse(const queue::Entry& entry, queue::DropReason why, std::string_view text);
  void set_aside(const queue::Entry& entry, std::string_view text);
  void end(queue::MessageId id, queue::State state, queue::DropReason why = queue::DropReason::kNone);
  void end_all(const std::vector<queue::Entry>& entries, queue::State state, queue::DropReason why);
  void write_ends();
  void written(const std::vector<End>& ends, const Result<void>& result);
  std::optional<BootTime> next_wake() const;
  void set_timer();
  void on_timer();

  boost::asio::io_context* loop_;
  const Clock* clock_;
  queue::StoreRunner* runner_;
  Options options_;
  MqttClient client_;
  queue::Scheduler scheduler_;
  SendWindow window_;
  Refusals refusals_;
  std::string refusal_;     // the last one, in the broker's words
  std::string unreadable_;  // why the last messages could not be read, in the store's words
  BootTime refusals_looked_at_{};
  boost::asio::steady_timer timer_;
  MqttSession session_;
  bool connected_ = false;
  std::vector<End> ends_;  // decided, not written yet
  bool writing_ = false;
  std::optional<BootTime> write_due_;  // the store failed: not before this
  bool kicked_ = false;
  SinkStatus counted_;
  queue::AtHand<queue::EdgeBody> at_hand_;
  std::deque<queue::EdgeBody> unstored_;  // emergencies, not published yet
  std::set<std::string> unstored_seen_;   // ids of those published on this connection, too
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// How the configured broker is reached as a sink. It keeps no session: what was unacknowledged is sent anew by
// us.
MqttOptions sink_options(const config::Sink& sink, std::string client_id);

}  // namespace tulpar::bridge
