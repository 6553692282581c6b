// SPDX-License-Identifier: Apache-2.0
//
// One connection to a broker inside the loop: waits for its socket, reads in groups, and while held touches
// nothing.
//
// On the loop thread. Kept alive by its own waits; close() ends it at once and no event follows. While held
// neither read, write nor misc runs, so that no acknowledgement leaves (they, PINGREQ and PUBLISH share one
// queue). Connecting blocks inside libmosquitto, so it happens on a thread that answers here; one that still
// hangs after kPatience is left behind and ends by itself. (Resolving here and giving libmosquitto an address
// instead would lose the name that TLS checks.) Idle it wakes the loop every kHousekeeping.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt_handle.hpp"

namespace tulpar::bridge {

// Why there is no connection (any more).
struct MqttLoss {
  enum class Kind {
    kOther,
    kSilent,   // it took the connection and hung up without an answer, as some do when they do not know the
               // version
    kVersion,  // it does not speak this version of MQTT
  };
  std::string why;
  Kind kind = Kind::kOther;
};

class MqttConnection : public std::enable_shared_from_this<MqttConnection> {
 public:
  // For the TCP and TLS handshakes and the broker's answer together.
  static constexpr Millis kPatience = std::chrono::seconds(15);
  static constexpr Millis kHousekeeping = std::chrono::seconds(MqttHandle::kKeepalive / 4);
  // A group ends with the first message that reaches one of these; the memory for what is not on disk yet.
  static constexpr std::size_t kGroupMessages = MqttHandle::kReceiveMaximum;
  static constexpr std::size_t kGroupBytes = 1u << 20;

  // An event may close the connection or hold it.
  class Events {
   public:
    virtual void on_session(const MqttSession& session) = 0;
    virtual void on_granted(const std::vector<int>& granted) = 0;
    // All that was there, at least one.
    virtual void on_messages(std::vector<MqttMessage> group) = 0;
    virtual void on_acks(const std::vector<MqttAck>& acks) = 0;
    // The last event.
    virtual void on_lost(const MqttLoss& loss) = 0;

   protected:
    ~Events() = default;
  };

  // `events` must stay until close() or on_lost().
  static std::shared_ptr<MqttConnection> open(boost::asio::io_context& loop, const MqttOptions& options,
                                              bool v5, Events& events);
  ~MqttConnection();
  // Closes without writing.
  void close();
  // Says goodbye if it can, then closes.
  void disconnect();

  void hold() { held_ = true; }
  // First writes what is queued, then reads on.
  void resume();

  // The packets leave soon after.
  Result<void> subscribe(const std::vector<std::string>& filters);
  Result<int> publish(const std::string& topic, ByteView payload, const std::string& tulpar_id);

 private:
  struct Gate;
  MqttConnection(boost::asio::io_context& loop, Events& events);

  void start(const MqttOptions& options, bool v5);
  void on_connected(const Result<void>& result);
  void arm();
  void kick();
  void proceed();
  void on_readable();
  void deliver();
  void housekeep();
  void set_timer(Millis after);
  void lose(std::string why);

  boost::asio::io_context* loop_;
  Events* events_;
  std::shared_ptr<MqttHandle> handle_;  // shared with the connecting thread; none: closed
  std::shared_ptr<Gate> gate_;
  // A duplicate of libmosquitto's descriptor: it closes its own without asking, and the loop must not lose
  // track.
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer timer_;
  bool reached_ = false;  // TCP is connected
  bool session_ = false;
  bool held_ = false;
  bool waiting_read_ = false, waiting_write_ = false, kicked_ = false;
};

}  // namespace tulpar::bridge
