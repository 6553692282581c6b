// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/captured.hpp"

namespace tulpar {
namespace {

// The service manager's end of its notifications.
class Manager {
 public:
  Manager() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_ / "notify";
    std::memcpy(address.sun_path, path.c_str(), path.size());
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
    close(fd_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // All that it was told so far.
  const std::vector<std::string>& heard() {
    char text[256];
    for (ssize_t size = 0; (size = recv(fd_, text, sizeof text, 0)) > 0;)
      heard_.emplace_back(text, static_cast<std::size_t>(size));
    return heard_;
  }
  std::ptrdiff_t count(const std::string& words) { return std::ranges::count(heard(), words); }

 private:
  queue::TempDir dir_;
  int fd_;
  std::vector<std::string> heard_;
};

struct Fixture {
  Manager manager;
  boost::asio::io_context loop;
  int stops = 0, reloads = 0;
  std::optional<Daemon> daemon;

  void start() {
    daemon.emplace(loop, Daemon::Handlers{.stop = [this] { ++stops; }, .reload = [this] { ++reloads; }});
  }
  template <class Condition>
  bool until(Condition condition) {
    return test::run_until(loop, condition);
  }
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "Daemon: ready is a line on standard error and a word to the service manager") {
  start();
  CHECK(manager.heard().empty());
  std::string line;
  {
    Captured captured;
    daemon->ready("tulpar gateway roof: http://127.0.0.1:8480/");
    line = captured.error();
  }
  CHECK(line == "ready tulpar gateway roof: http://127.0.0.1:8480/\n");
  CHECK(manager.heard() == Told{"READY=1"});
}

TEST_CASE_METHOD(Fixture, "Daemon: SIGHUP reloads, again and again; SIGTERM ends it") {
  start();
  for (int round = 1; round <= 2; ++round) {
    raise(SIGHUP);
    REQUIRE(until([&] { return reloads == round; }));
  }
  CHECK(manager.heard() == Told{"RELOADING=1", "READY=1", "RELOADING=1", "READY=1"});
  CHECK(stops == 0);
  raise(SIGTERM);
  REQUIRE(until([&] { return stops == 1; }));
  CHECK(manager.heard().back() == "STOPPING=1");
  loop.restart();
  loop.run();  // nothing of it keeps the loop
  CHECK(stops == 1);
}

TEST_CASE_METHOD(Fixture, "Daemon: SIGINT ends it, too") {
  start();
  raise(SIGINT);
  CHECK(until([&] { return stops == 1; }));
}

TEST_CASE_METHOD(Fixture, "Daemon: the watchdog is fed once it serves, until it stops") {
  setenv("WATCHDOG_USEC", "3000", 1);
  start();
  test::settle(loop);
  CHECK(manager.heard().empty());
  {
    Captured captured;
    daemon->ready("x");
  }
  REQUIRE(until([&] { return manager.count("WATCHDOG=1") >= 3; }));
  CHECK(manager.heard().front() == "READY=1");
  raise(SIGTERM);
  REQUIRE(until([&] { return stops == 1; }));
  loop.restart();
  loop.run();  // no timer is left
  CHECK(manager.heard().back() == "STOPPING=1");
}

TEST_CASE_METHOD(Fixture, "Daemon: another process's watchdog is not fed") {
  setenv("WATCHDOG_USEC", "3000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  start();
  {
    Captured captured;
    daemon->ready("x");
  }
  CHECK(manager.heard() == Told{"READY=1"});
}

TEST_CASE("Daemon: the log has times, but not under a service manager, which has its own") {
  const auto before = spdlog::default_logger();
  const auto logged = [&] {
    Captured captured;
    set_up_log();
    spdlog::get("tulpar")->set_level(spdlog::level::info);
    spdlog::warn("the link is down");
    spdlog::set_default_logger(before);
    spdlog::drop("tulpar");
    return captured.error();
  };
  setenv("JOURNAL_STREAM", "8:1", 1);
  CHECK(logged() == "warning: the link is down\n");
  unsetenv("JOURNAL_STREAM");
  CHECK_THAT(logged(), Matches("20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d warning: the link is down\n"));
}

}  // namespace tulpar
