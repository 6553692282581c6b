// SPDX-License-Identifier: Apache-2.0
//
// The mosquitto that Tulpar runs itself where no host is configured: started, watched, started again, taken
// over.
//
// On the loop thread; `loop` must outlive it. It runs in STATE_DIR/broker with a configuration of ours, and
// keeps the mesh's QoS 0 messages for us while we are away: so it outlives a gateway that is killed, and the
// next one takes it over if it runs on the same configuration, or else replaces it (what it keeps stays on
// disk). Only stop() ends it; destruction does not. (systemd: KillMode=process, or it is killed with the
// gateway.) What it cannot read it would refuse for ever; a mesh without a broker is worse than one that lost
// what waited there, so that file is moved aside.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "bridge/broker_files.hpp"
#include "bridge/reconnect.hpp"

namespace tulpar::bridge {

struct BrokerStatus {
  bool running = false;
  bool adopted = false;  // an earlier gateway had started it
  pid_t pid = 0;
  unsigned restarts = 0;  // that nobody asked for
  std::string problem;    // why it does not run, or why it ended last; empty: nothing
  std::string loss;       // what it kept and lost since we run; empty: nothing
};

class ManagedBroker {
 public:
  static constexpr const char* kProgram = "/usr/sbin/mosquitto";
  // It saves what it keeps when told to end; then it is killed.
  static constexpr Millis kPatience = std::chrono::seconds(5);

  // Prepares STATE_DIR/broker. Error: what of [mqtt], the directory or `program` will not do.
  static Result<std::unique_ptr<ManagedBroker>> create(boost::asio::io_context& loop, const config::Mqtt& mqtt,
                                                       const std::string& state_dir,
                                                       std::string program = kProgram);
  ~ManagedBroker();

  void start();
  // Ends it; `done` follows when it has ended. For the end of the program: start() does not follow.
  void stop(std::function<void()> done);

  // How our own clients reach it; they need not wait for it.
  MqttOptions source_access() const { return broker_source_access(mqtt_, place_); }
  MqttOptions sink_access() const { return broker_sink_access(mqtt_, place_); }
  BrokerStatus status() const { return status_; }

 private:
  ManagedBroker(boost::asio::io_context& loop, config::Mqtt mqtt, BrokerPlace place, BrokerFiles files,
                std::string program);
  void launch();
  Result<void> watch(pid_t pid);
  void on_ended();
  void terminate();
  void send_signal(int number);
  void fail(std::string why);
  void look_for_damage(const std::string& complaint);
  void after(Millis wait, std::function<void()> work);

  config::Mqtt mqtt_;
  BrokerPlace place_;
  BrokerFiles files_;
  std::string program_;
  Backoff backoff_;
  boost::asio::posix::stream_descriptor ended_;  // pidfd of the one that runs
  boost::asio::steady_timer timer_;
  BrokerStatus status_;
  std::chrono::steady_clock::time_point started_at_;
  unsigned unreadable_ = 0;  // ends in a row for a file that it cannot read
  bool replacing_ = false;   // it ends because we said so
  std::function<void()> stopped_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar::bridge
