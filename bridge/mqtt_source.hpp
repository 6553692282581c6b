// SPDX-License-Identifier: Apache-2.0
//
// A broker's messages, handed over in groups; a group is acknowledged only when its owner says that it is on
// disk.
//
// On the loop thread. Between a group and its `done` the connection is held: nothing more is read, no
// acknowledgement leaves, and at most a group (1,000 messages; 1 MiB and one message) is in memory. done(false)
// gives the connection up without writing, so that the broker keeps the group and sends it again. Left out,
// acknowledged and counted: what a Tulpar published (no loops), redelivered copies of what is stored, retained
// messages that are not new, topics that nobody asked for or that begin with `$`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt_client.hpp"
#include "bridge/redelivery.hpp"
#include "bridge/retained_filter.hpp"

namespace tulpar::bridge {

// The mesh as the status page tells it, and what was left out since the start.
struct SourceStatus {
  bool connected = false;
  bool durable = false;        // nothing is lost while we are away, not even what nodes publish at QoS 0
  std::string note;            // for the operator: what is wrong, or not guaranteed; empty: all is well
  std::uint64_t messages = 0;  // handed over and stored
  std::uint64_t copies = 0;    // redelivered although stored
  std::uint64_t echoes = 0;    // some Tulpar's own
  std::uint64_t old_retained = 0;
  std::uint64_t unwanted = 0;  // not subscribed (any more), or not a topic
};

class MqttSource final : private MqttClient::Handler {
 public:
  // To be called once, on the loop thread, at once or later; later calls do nothing.
  using Done = std::function<void(bool stored)>;
  using OnGroup = std::function<void(std::vector<MqttMessage> group, Done done)>;

  // `managed`: the broker is the one that Tulpar runs itself. `stored`: marks that an earlier process stored
  // with its last messages, oldest first, so that their redelivery after a crash is recognised.
  struct Options {
    MqttOptions mqtt;
    bool managed = false;
    std::vector<Redelivery::Mark> stored{};
  };
  // `loop` must outlive it.
  MqttSource(boost::asio::io_context& loop, Options options, OnGroup on_group);

  void start() { client_.start(); }
  // Says goodbye; a group that is not done is left to the broker.
  void stop() { client_.stop(); }
  SourceStatus status() const;

 private:
  void on_connected(const MqttSession& session) override;
  void on_disconnected() override {}
  void on_messages(std::vector<MqttMessage> group) override;
  bool wanted(const MqttMessage& message) const;
  bool is_new(const MqttMessage& message);
  // What is kept in mind of a group until it is stored.
  struct Heard {
    Redelivery::Mark mark;
    std::uint64_t topic = 0;  // fingerprint
  };
  void finish(const std::vector<Heard>& group, bool stored);
  std::string note() const;

  bool managed_;
  OnGroup on_group_;
  MqttClient client_;
  Redelivery redelivery_;
  RetainedFilter retained_;
  SourceStatus counted_;
  bool was_connected_ = false;
  bool session_lost_ = false;
  bool refused_ = false;  // the last group could not be stored
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// How the configured broker is reached as a source. `client_id` must stay the same over restarts.
MqttOptions source_options(const config::Mqtt& mqtt, std::string client_id);
// The relay's: `filters` are what to subscribe there.
MqttOptions source_options(const config::Source& source, std::string client_id,
                           std::vector<std::string> filters);

}  // namespace tulpar::bridge
