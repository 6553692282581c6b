// SPDX-License-Identifier: Apache-2.0
//
// A client that stays with its broker: connects, subscribes, and comes back with jitter when the connection is
// lost.
//
// On the loop thread; `loop` and `handler` must outlive it. MQTT 5, and 3.1.1 where the broker speaks nothing
// newer. hold() is for who must not acknowledge yet: until resume() nothing is read or written, and no new
// connection is made. A broker that hangs up without a word on MQTT 5 may be an old one, or a proxy before a
// broker that is down: once it answers 3.1.1, MQTT 5 is tried again before that is believed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt_connection.hpp"
#include "bridge/reconnect.hpp"

namespace tulpar::bridge {

struct MqttStatus {
  bool connected = false;
  bool v5 = true;         // of the connection that is up
  std::string problem{};  // why it is not connected, or what the broker does not grant; empty: nothing
  unsigned attempts = 0;  // since the last connection
};

class MqttClient : private MqttConnection::Events {
 public:
  class Handler {
   public:
    virtual void on_connected(const MqttSession& session) = 0;
    virtual void on_disconnected() = 0;
    // A group as it was read; see MqttConnection.
    virtual void on_messages(std::vector<MqttMessage> group) { (void)group; }
    virtual void on_acks(const std::vector<MqttAck>& acks) { (void)acks; }

   protected:
    ~Handler() = default;
  };

  MqttClient(boost::asio::io_context& loop, MqttOptions options, Handler& handler);
  virtual ~MqttClient();

  void start();
  // Says goodbye unless held, and stays away. No event follows.
  void stop();
  void hold();
  void resume();
  // Gives the connection up without writing, and comes back later; `why` is for the status. on_disconnected()
  // follows inside.
  void drop(std::string why);

  Result<int> publish(const std::string& topic, ByteView payload, const std::string& tulpar_id);
  MqttStatus status() const;
  const MqttOptions& options() const { return options_; }

 private:
  void on_session(const MqttSession& session) override;
  void on_granted(const std::vector<int>& granted) override;
  void on_messages(std::vector<MqttMessage> group) override;
  void on_acks(const std::vector<MqttAck>& acks) override;
  void on_lost(const MqttLoss& loss) override;

  void connect();
  void connect_after(Millis wait);
  Millis choose_version(const MqttLoss& loss);
  std::string broker() const;

  boost::asio::io_context* loop_;
  MqttOptions options_;
  Handler* handler_;
  Backoff backoff_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<MqttConnection> connection_;
  MqttStatus status_;
  std::chrono::steady_clock::time_point connected_at_;
  bool v5_ = true;         // of the next attempt
  bool doubted_ = false;   // 3.1.1 was chosen because the broker was silent
  bool checking_ = false;  // it answers 3.1.1; is it silent on 5 still?
  bool held_ = false;
  bool connect_when_free_ = false;
  bool stopped_ = true;
  // A timer that has fired already runs even if we are destroyed before its turn.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar::bridge
