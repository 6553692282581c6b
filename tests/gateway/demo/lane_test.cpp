// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/lane.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "gateway/demo/broker.hpp"
#include "gateway/demo/temp_dir.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

// A lane over one broker, which is the shortest way from the mesh to the internet.
struct Short {
  Short() : broker(Broker::start(kMosquitto, directory.path() / "broker.conf").value()) {
    lane = Lane::connect(io.get_executor(),
                         {.site_port = broker.port(),
                          .net_port = broker.port(),
                          .reply_prefix = "down/",
                          .reply_prefix_at_site = "down/"},
                         mesh.reply_topic(), [this](MessageKey key) { out.push_back(key); })
               .value();
    REQUIRE(run_until([this] { return lane->listening(); }));
  }
  bool run_until(const std::function<bool()>& done) {
    for (int i = 0; i < 2000 && !done(); ++i) io.run_one_for(10ms);
    return done();
  }

  TempDir directory;
  boost::asio::io_context io;
  Broker broker;
  MeshSimulator mesh{{.nodes = 40}, BootTime{}, WallTime(1'768'000'000s)};
  std::vector<MessageKey> out;
  std::unique_ptr<Lane> lane;
};

}  // namespace

TEST_CASE("a lane tells what came out of it, once") {
  Short lab;
  const auto messages = lab.mesh.step(BootTime(1h));
  for (const MeshMessage& message : messages) REQUIRE(lab.lane->publish(message, {}).has_value());
  CHECK(lab.lane->tally().waiting() == messages.size());
  REQUIRE(lab.run_until([&] { return lab.out.size() >= messages.size(); }));
  CHECK(lab.out.size() == messages.size());
  CHECK(lab.out.front() == key_of(messages.front().payload));
  CHECK(lab.lane->tally().delivered() == messages.size());
  CHECK(lab.lane->tally().waiting() == 0);
}

TEST_CASE("a reply comes out at the site and is none of the mesh's messages") {
  Short lab;
  const MeshMessage reply = lab.mesh.reply(BootTime(1h), "Help is on the way");
  REQUIRE(lab.lane->reply(reply).has_value());
  REQUIRE(lab.run_until([&] { return !lab.out.empty(); }));
  CHECK(lab.out == std::vector{key_of(reply.payload)});
  CHECK(lab.lane->tally().published() == 0);
}

TEST_CASE("a lane notices that its broker has gone") {
  Short lab;
  CHECK(lab.lane->connected());
  kill(lab.broker.pid(), SIGKILL);
  CHECK(lab.run_until([&] { return !lab.lane->connected(); }));
  // Its sockets close a moment before it has ended.
  siginfo_t ended{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(lab.broker.pid()), &ended, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(lab.broker.running());
}

TEST_CASE("a broker that is not there is an error that names it") {
  boost::asio::io_context io;
  const auto lane = Lane::connect(io.get_executor(), {.site_port = 1, .net_port = 1}, "x", [](MessageKey) {});
  REQUIRE_FALSE(lane.has_value());
  CHECK_THAT(lane.error().message, Contains("127.0.0.1:1"));
}
