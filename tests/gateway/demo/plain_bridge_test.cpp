// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/plain_bridge.hpp"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "gateway/demo/link_emulator.hpp"
#include "gateway/demo/mesh_simulator.hpp"
#include "gateway/demo/mqtt_tap.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/demo/steady_clock.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

// Both brokers, the link between them, a publisher at the mesh and a listener on the internet.
struct Lab {
  Lab() {
    auto started = PlainBridge::start([this](std::uint16_t port) {
      const LinkSettings settings{.rate_up = 5'000'000, .rate_down = 5'000'000, .delay = 2ms};
      link.emplace(io.get_executor(), clock, settings, 1, LinkTarget{.port = port});
      return link->port();
    });
    REQUIRE(started.has_value());
    bridge = std::move(*started);
    site = tap(bridge->site_port(), "site", {"down/#"}, at_site);
    net = tap(bridge->net_port(), "net", {"#"}, at_net);
    REQUIRE(run_until(
        [this] { return site->subscribed() && net->subscribed() && link->meter(Direction::kUp).packets > 0; }));
  }

  std::unique_ptr<MqttTap> tap(std::uint16_t port, const std::string& name, std::vector<std::string> filters,
                               std::vector<Bytes>& into) {
    auto made = MqttTap::connect(
        io.get_executor(), port, name, filters,
        [&into](std::string_view, ByteView payload) { into.emplace_back(payload.begin(), payload.end()); });
    REQUIRE(made.has_value());
    return std::move(*made);
  }

  bool run_until(const std::function<bool()>& done, Millis patience = 20s) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(100ms);
    }
    return done();
  }

  SteadyClock clock;
  boost::asio::io_context io;
  std::optional<LinkEmulator> link;
  std::unique_ptr<PlainBridge> bridge;
  std::vector<Bytes> at_site, at_net;
  std::unique_ptr<MqttTap> site, net;
};

}  // namespace

TEST_CASE("the plain bridge carries the mesh's messages up and replies down, metered") {
  Lab lab;
  MeshSimulator mesh({.nodes = 40}, BootTime{}, WallTime(1'768'000'000s));
  const auto messages = mesh.step(BootTime(1h));
  REQUIRE(messages.size() > 40);
  std::multiset<Bytes> sent;
  std::size_t bytes = 0;
  for (const MeshMessage& message : messages) {
    REQUIRE(lab.site->publish(message.topic, message.payload).has_value());
    sent.insert(message.payload);
    bytes += message.topic.size() + message.payload.size();
  }
  REQUIRE(lab.run_until([&] { return lab.at_net.size() >= messages.size(); }));
  CHECK(std::multiset<Bytes>(lab.at_net.begin(), lab.at_net.end()) == sent);
  CHECK(lab.site->unacknowledged() == 0);
  CHECK(lab.link->meter(Direction::kUp).bytes > bytes);
  // Mutual TLS alone is about 4.7 kB, two thirds of it down.
  CHECK(lab.link->meter(Direction::kDown).bytes > 2'000);

  const MeshMessage reply = mesh.reply(BootTime(1h), "Help is on the way");
  REQUIRE(lab.net->publish("down/" + reply.topic, reply.payload).has_value());
  REQUIRE(lab.run_until([&] { return !lab.at_site.empty(); }));
  CHECK(lab.at_site.front() == reply.payload);
}

TEST_CASE("what is published while the link is cut arrives after it is mended") {
  Lab lab;
  REQUIRE(lab.site->publish("a", as_bytes("before")).has_value());
  REQUIRE(lab.run_until([&] { return lab.at_net.size() == 1; }));
  lab.link->cut();
  for (int i = 0; i < 50; ++i) REQUIRE(lab.site->publish("a", as_bytes("during")).has_value());
  REQUIRE(
      lab.run_until([&] { return lab.site->unacknowledged() == 0 && lab.link->pending(Direction::kUp) > 0; }));
  CHECK(lab.at_net.size() == 1);
  lab.link->mend();
  CHECK(lab.run_until([&] { return lab.at_net.size() == 51; }));
}

TEST_CASE("nothing is left when the plain bridge has gone") {
  const TempDir ours;
  setenv("TMPDIR", ours.path().c_str(), 1);
  pid_t site = 0, net = 0;
  {
    Lab lab;
    CHECK(lab.bridge->running());
    CHECK_FALSE(std::filesystem::is_empty(ours.path()));
    site = lab.bridge->site_pid();
    net = lab.bridge->net_pid();
    CHECK(kill(site, 0) == 0);
  }
  unsetenv("TMPDIR");
  CHECK(kill(site, 0) != 0);
  CHECK(kill(net, 0) != 0);
  CHECK(std::filesystem::is_empty(ours.path()));
}

TEST_CASE("the loss of a broker is noticed") {
  Lab lab;
  kill(lab.bridge->net_pid(), SIGKILL);
  REQUIRE(lab.run_until([&] { return !lab.net->connected(); }));
  REQUIRE(lab.run_until([&] { return !lab.bridge->running(); }));
  CHECK_FALSE(lab.net->publish("a", as_bytes("x")).has_value());
  CHECK(lab.site->connected());
}

TEST_CASE("a missing mosquitto is an error that says what to install") {
  const auto started =
      PlainBridge::start([](std::uint16_t) { return std::uint16_t{1}; }, "/nonexistent/mosquitto");
  REQUIRE_FALSE(started.has_value());
  CHECK_THAT(started.error().message, Contains("install the package mosquitto"));
}
