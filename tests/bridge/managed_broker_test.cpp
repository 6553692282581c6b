// SPDX-License-Identifier: Apache-2.0
//
// The broker that Tulpar runs itself, for real: it outlives us, it is taken over, it keeps QoS 0 for us.
#include "bridge/managed_broker.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bridge/broker_process.hpp"
#include "bridge/mqtt_source.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/bridge/real_broker.hpp"

namespace tulpar::bridge {
namespace {

using test::PlainClient;
using test::run_until;

struct Fixture {
  queue::TempDir dir;
  config::Mqtt mqtt;
  std::uint16_t port = test::free_port();
  boost::asio::io_context loop;
  std::unique_ptr<ManagedBroker> broker;

  Fixture() { mqtt.listen = fmt::format("127.0.0.1:{}", port); }
  ~Fixture() {
    stop();
    // Whatever a failed test left.
    if (const auto left = find_broker(dir / "broker", ManagedBroker::kProgram)) kill(*left, SIGKILL);
  }
  void open() {
    broker = ManagedBroker::create(loop, mqtt, dir / "").value();
    broker->start();
  }
  // As a gateway that is killed: nothing is said to the broker. (Its child is ours still, so that it must be
  // reaped.)
  pid_t vanish() {
    const pid_t pid = broker->status().pid;
    broker.reset();
    return pid;
  }
  void stop() {
    if (!broker) return;
    bool ended = false;
    broker->stop([&] { ended = true; });
    run_until(loop, [&] { return ended; });
    broker.reset();
  }
  bool alive(pid_t pid) { return kill(pid, 0) == 0; }
  PlainClient node(const std::string& user = "", const std::string& password = "") {
    return PlainClient("127.0.0.1", port, "node", user, password);
  }
};

struct Mesh {
  Mesh(boost::asio::io_context& loop, const ManagedBroker& broker)
      : source(loop, {.mqtt = broker.source_access(), .managed = true},
               [this](std::vector<MqttMessage> group, MqttSource::Done done) {
                 for (const auto& message : group) payloads.emplace_back(as_text(message.payload));
                 done(true);
               }) {
    source.start();
  }
  std::vector<std::string> payloads;
  MqttSource source;
};

using Texts = std::vector<std::string>;

// At QoS 0, and returns when the broker has it on disk: it saves after each turn of its loop, and each
// acknowledgement that follows takes a turn.
void publish_for_good(PlainClient node, const std::string& text) {
  node.publish("msh/t", text, 0);
  node.publish("other/first-turn", "", 1);
  node.publish("other/second-turn", "", 1);
}

TEST_CASE_METHOD(Fixture, "Managed broker: started, used by nodes and by us, ended", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  open();
  const pid_t pid = broker->status().pid;
  CHECK(broker->status().running);
  CHECK_FALSE(broker->status().adopted);
  Mesh mesh(loop, *broker);
  REQUIRE(run_until(loop, [&] { return mesh.source.status().connected; }));
  CHECK(mesh.source.status().durable);
  CHECK(mesh.source.status().note.empty());
  node().publish("msh/t", "hello", 0, true);
  REQUIRE(run_until(loop, [&] { return mesh.payloads == Texts{"hello"}; }));
  mesh.source.stop();
  stop();
  CHECK_FALSE(alive(pid));
  CHECK(std::filesystem::status(dir / "broker").permissions() == std::filesystem::perms::owner_all);
}

// What a node publishes at QoS 0 while the gateway is dead is not lost, though the broker is killed, too.
TEST_CASE_METHOD(Fixture, "Managed broker: keeps QoS 0 for us over our death and its own", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  const bool users = GENERATE(false, true);
  if (users) mqtt.users = {{"ann", "open sesame", {"msh/#"}}};
  const auto ann = [&] { return users ? node("ann", "open sesame") : node(); };
  open();
  {
    Mesh mesh(loop, *broker);
    REQUIRE(run_until(loop, [&] { return mesh.source.status().connected; }));
    ann().publish("msh/t", "one", 0, true);
    REQUIRE(run_until(loop, [&] { return mesh.payloads == Texts{"one"}; }));
  }
  const pid_t first = vanish();
  publish_for_good(ann(), "two");
  CHECK(alive(first));
  open();
  CHECK(broker->status().adopted);
  CHECK(broker->status().pid == first);
  kill(first, SIGKILL);
  REQUIRE(run_until(loop, [&] { return broker->status().running && broker->status().pid != first; }));
  CHECK(broker->status().restarts == 1);
  ann().publish("msh/t", "three", 0);
  Mesh mesh(loop, *broker);
  REQUIRE(run_until(loop, [&] { return mesh.payloads.size() == 2; }));
  CHECK(mesh.payloads == Texts{"two", "three"});
}

TEST_CASE_METHOD(Fixture, "Managed broker: one on an older configuration is replaced, and keeps what it had",
                 "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  open();
  {
    Mesh mesh(loop, *broker);
    REQUIRE(run_until(loop, [&] { return mesh.source.status().connected; }));
    node().publish("msh/t", "one", 0, true);
    REQUIRE(run_until(loop, [&] { return mesh.payloads.size() == 1; }));
  }
  const pid_t first = vanish();
  publish_for_good(node(), "two");
  port = test::free_port();
  mqtt.listen = fmt::format("127.0.0.1:{}", port);
  open();
  REQUIRE(run_until(loop, [&] { return broker->status().running && broker->status().pid != first; }));
  CHECK(broker->status().restarts == 0);
  Mesh mesh(loop, *broker);
  REQUIRE(run_until(loop, [&] { return mesh.payloads.size() == 1; }));
  CHECK(mesh.payloads == Texts{"two"});
}

TEST_CASE_METHOD(Fixture, "Managed broker: users and what they may", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  mqtt.users = {{"ann", "open sesame", {"msh/#"}}};
  open();
  Mesh mesh(loop, *broker);
  REQUIRE(run_until(loop, [&] { return mesh.source.status().connected; }));
  CHECK(node("ann", "wrong").refused() != 0);
  CHECK(node().refused() != 0);
  auto ann = node("ann", "open sesame");
  ann.subscribe("#");
  ann.publish("other/t", "not allowed", 1);
  ann.publish("msh/t", "allowed", 1);
  REQUIRE(run_until(loop, [&] {
    ann.poll();
    return !mesh.payloads.empty() && !ann.heard.empty();
  }));
  CHECK(mesh.payloads == Texts{"allowed"});
  CHECK(ann.heard.size() == 1);
}

TEST_CASE_METHOD(Fixture, "Managed broker: one that cannot run says why, and is tried again", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  boost::asio::ip::tcp::acceptor squatter(loop, {boost::asio::ip::address_v4::loopback(), port});
  open();
  REQUIRE(run_until(loop, [&] { return !broker->status().problem.empty(); }));
  CHECK_THAT(broker->status().problem, Contains("Address already in use"));
  squatter.close();
  REQUIRE(run_until(loop, [&] { return broker->status().running && broker->status().restarts > 0; }));
  CHECK(node().connected());
}

TEST_CASE_METHOD(Fixture, "Managed broker: what it cannot read is moved aside, and told", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  open();
  REQUIRE(run_until(loop, [&] { return broker->status().running; }));
  stop();
  std::ofstream(dir / "broker/mosquitto.db") << "no database of mosquitto's, but long enough to be read as one";
  open();
  REQUIRE(run_until(loop, [&] { return broker->status().running && !broker->status().loss.empty(); }));
  CHECK_THAT(broker->status().loss, Contains("mosquitto.db.damaged-1"));
  CHECK(std::filesystem::exists(dir / "broker/mosquitto.db.damaged-1"));
  Mesh mesh(loop, *broker);
  REQUIRE(run_until(loop, [&] { return mesh.source.status().connected; }));
  mesh.source.stop();
}

TEST_CASE("Broker's damaged file: one is kept, under a new number", "[broker]") {
  queue::TempDir dir;
  CHECK(set_damaged_aside(dir / "").value().empty());
  for (const char* number : {"1", "2"}) {
    std::ofstream(dir / "mosquitto.db") << number;
    CHECK(set_damaged_aside(dir / "").value() == (dir / "") + "/mosquitto.db.damaged-" + number);
  }
  CHECK_FALSE(std::filesystem::exists(dir / "mosquitto.db"));
  CHECK_FALSE(std::filesystem::exists(dir / "mosquitto.db.damaged-1"));
  CHECK(std::filesystem::exists(dir / "mosquitto.db.damaged-2"));
}

TEST_CASE_METHOD(Fixture, "Managed broker: stopped while it waits to start again", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  boost::asio::ip::tcp::acceptor squatter(loop, {boost::asio::ip::address_v4::loopback(), port});
  open();
  REQUIRE(run_until(loop, [&] { return !broker->status().running && !broker->status().problem.empty(); }));
  bool ended = false;
  broker->stop([&] { ended = true; });
  REQUIRE(run_until(loop, [&] { return ended; }));
  CHECK_FALSE(find_broker(dir / "broker", ManagedBroker::kProgram));
}

TEST_CASE_METHOD(Fixture, "Managed broker: what cannot be served is an error at once", "[broker]") {
  CHECK_THAT(ManagedBroker::create(loop, mqtt, dir / "", "/nonexistent/mosquitto").error().message,
             Contains("install the package mosquitto"));
  std::ofstream(dir / "file") << "x";
  CHECK(ManagedBroker::create(loop, mqtt, dir / "file", "/bin/true").has_error());
  mqtt.listen = "nonsense";
  CHECK_THAT(ManagedBroker::create(loop, mqtt, dir / "", "/bin/true").error().message, Contains("listen"));
}

TEST_CASE("Broker's place: its secret stays, and nobody else reads it", "[broker]") {
  queue::TempDir dir;
  const auto first = open_broker_place(dir / "broker").value();
  CHECK(first.secret.size() == 32);
  CHECK(open_broker_place(dir / "broker").value().secret == first.secret);
  CHECK(open_broker_place(dir / "other").value().secret != first.secret);
  const auto mode = std::filesystem::status(dir / "broker/secret").permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  // Cut off by a power failure of an older version, or by a hand: a new one.
  std::ofstream(dir / "broker/secret") << "short";
  CHECK(open_broker_place(dir / "broker").value().secret.size() == 32);
}

TEST_CASE("Broker's files: written and read back", "[broker]") {
  queue::TempDir dir;
  const BrokerFiles files{.conf = "a\n", .passwords = "b\n", .acl = ""};
  REQUIRE(write_broker_files(dir / "", files).has_value());
  CHECK(read_broker_files(dir / "") == files);
  CHECK(read_broker_files(dir / "none") == BrokerFiles{});
  CHECK(write_broker_files(dir / "none", files).has_error());
}

TEST_CASE("Finding a broker: by name and working directory", "[broker]") {
  queue::TempDir dir, other;
  CHECK_FALSE(find_broker(dir / "", "/bin/sleep"));
  const pid_t child = fork();
  if (child == 0) {
    if (chdir((dir / "").c_str()) == 0) execl("/bin/sleep", "sleep", "60", nullptr);
    _exit(1);
  }
  boost::asio::io_context loop;
  REQUIRE(run_until(loop, [&] { return find_broker(dir / "", "/bin/sleep") == child; }));
  CHECK_FALSE(find_broker(dir / "", "/bin/slee"));
  CHECK_FALSE(find_broker(other / "", "/bin/sleep"));
  kill(child, SIGKILL);
  // A zombie is not running.
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  CHECK_FALSE(find_broker(dir / "", "/bin/sleep"));
  waitpid(child, nullptr, 0);
}

TEST_CASE("Starting a broker: systemd's watchdog stays ours", "[broker]") {
  queue::TempDir dir;
  std::ofstream(dir / "program") << "#!/bin/sh\nenv\n";
  REQUIRE(chmod((dir / "program").c_str(), 0700) == 0);
  setenv("NOTIFY_SOCKET", "/run/none", 1);
  setenv("WATCHDOG_USEC", "60000000", 1);
  setenv("TULPAR_TEST_KEPT", "yes", 1);
  const auto pid = start_broker(dir / "", dir / "program");
  REQUIRE(pid.has_value());
  waitpid(*pid, nullptr, 0);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "TULPAR_TEST_KEPT"}) unsetenv(name);
  std::stringstream printed;
  printed << std::ifstream(dir / "mosquitto.log").rdbuf();
  CHECK(printed.str().find("TULPAR_TEST_KEPT=yes") != std::string::npos);
  CHECK(printed.str().find("NOTIFY_SOCKET") == std::string::npos);
  CHECK(printed.str().find("WATCHDOG_USEC") == std::string::npos);
}

TEST_CASE("Broker's complaint: its last error", "[broker]") {
  queue::TempDir dir;
  CHECK(broker_complaint(dir / "").empty());
  std::ofstream(dir / "mosquitto.log")
      << std::string(10'000, 'x') << "\n2026: Error: first\n2026: Warning: x\n2026: Error: last.\n2026: bye\n";
  CHECK(broker_complaint(dir / "") == "Error: last.");
}

}  // namespace
}  // namespace tulpar::bridge
