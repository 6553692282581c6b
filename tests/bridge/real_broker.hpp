// SPDX-License-Identifier: Apache-2.0
//
// A real mosquitto on a free loopback port for a test, and a plain client to talk to it. Blocking; test thread
// only. Where mosquitto is not installed the tests that need it say so and do nothing.
#pragma once

#include <mosquitto.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt_handle.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::test {

bool has_mosquitto();
#define TULPAR_NEEDS_MOSQUITTO()                           \
  if (!::tulpar::test::has_mosquitto()) {                  \
    WARN("skipped: /usr/sbin/mosquitto is not installed"); \
    return;                                                \
  }

// A port that nobody listened on a moment ago.
std::uint16_t free_port();

class RealBroker {
 public:
  // `conf`: lines beyond the listener, persistence and open access.
  explicit RealBroker(const std::string& conf = "");
  ~RealBroker();
  void start();
  void end(int signal);
  std::uint16_t port() const { return port_; }
  bridge::MqttOptions options(const std::string& id) const;

 private:
  queue::TempDir dir_;
  std::uint16_t port_;
  pid_t pid_ = 0;
};

// Another client of that broker, with a clean session, so far as a test needs one.
class PlainClient {
 public:
  struct Heard {
    std::string topic, payload, tulpar_id;
    int qos = 0;
  };
  // Keeps trying until the broker answers. `port` 0: `host` is a socket's path.
  PlainClient(const std::string& host, std::uint16_t port, const std::string& id, const std::string& user = "",
              const std::string& password = "");
  ~PlainClient();
  // Returns when the broker has answered (QoS 1) or has it in its socket (QoS 0).
  void publish(const std::string& topic, const std::string& payload, int qos, bool retain = false,
               const std::string& tulpar_id = "");
  void subscribe(const std::string& filter);
  // Takes in what is there.
  void poll();
  bool connected() const { return connected_; }
  int refused() const { return refused_; }
  std::vector<Heard> heard;

 private:
  struct Free {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };
  template <class Condition>
  void run(Condition condition);
  std::unique_ptr<mosquitto, Free> client_;
  bool connected_ = false, subscribed_ = false;
  int refused_ = 0, acknowledged_ = 0;
};

}  // namespace tulpar::test
