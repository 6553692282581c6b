// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "gateway/demo/temp_dir.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

Result<ChildProcess> shell(const std::string& script, Millis patience = 10s) {
  return ChildProcess::start({"/bin/sh", "-c", script}, "ready", patience);
}

int open_pidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

// Waits for the end of a process that is not our child.
bool ends_within(int pidfd, Millis patience) {
  pollfd entry{.fd = pidfd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, static_cast<int>(patience.count())) == 1;
}

}  // namespace

TEST_CASE("a child is waited for until it is ready, and ends with its owner") {
  pid_t pid = 0;
  {
    auto child = shell("echo starting >&2; echo ready >&2; exec sleep 1000");
    REQUIRE(child.has_value());
    pid = child->pid();
    CHECK(child->running());
    ChildProcess moved = std::move(*child);
    CHECK(moved.running());
    CHECK_FALSE(child->running());
  }
  CHECK(kill(pid, 0) != 0);
}

TEST_CASE("a word that must begin a line is not found inside one") {
  const auto start = [](const std::string& script) {
    return ChildProcess::start({"/bin/sh", "-c", script}, "\nready", 10s);
  };
  CHECK(start("echo ready now >&2; exec sleep 1000").has_value());
  CHECK(start("echo hello >&2; echo ready >&2; exec sleep 1000").has_value());
  const auto already = start("echo address already in use >&2; exit 1");
  REQUIRE_FALSE(already.has_value());
  CHECK_THAT(already.error().message, EndsWith("it ended: address already in use"));
}

TEST_CASE("a child that does not come up is an error that says why") {
  const auto ended = shell("echo no such configuration >&2; exit 3");
  REQUIRE_FALSE(ended.has_value());
  CHECK_THAT(ended.error().message, Contains("no such configuration"));

  const auto missing = ChildProcess::start({"/nonexistent/broker"}, "ready", 10s);
  REQUIRE_FALSE(missing.has_value());
  CHECK_THAT(missing.error().message, Contains("/nonexistent/broker"));
  CHECK_THAT(missing.error().message, Contains("No such file"));

  const auto silent = shell("exec sleep 1000", 50ms);
  REQUIRE_FALSE(silent.has_value());
  CHECK_THAT(silent.error().message, Contains("not ready after 50 ms"));
}

TEST_CASE("a child that ended by itself is noticed and can be stopped all the same") {
  auto child = shell("echo ready >&2; exec sleep 1000");
  REQUIRE(child.has_value());
  const int pidfd = open_pidfd(child->pid());
  kill(child->pid(), SIGKILL);
  REQUIRE(ends_within(pidfd, 10s));
  close(pidfd);
  CHECK_FALSE(child->running());
  child->stop();
  CHECK(child->pid() == 0);
  child->stop();
}

TEST_CASE("children that were asked to end do so at the same time") {
  auto child = shell("trap 'exit 0' TERM; echo ready >&2; while :; do sleep 0.01; done");
  REQUIRE(child.has_value());
  const int pidfd = open_pidfd(child->pid());
  child->terminate();
  CHECK(ends_within(pidfd, 10s));
  close(pidfd);
  child->stop();
  CHECK(child->pid() == 0);
  child->terminate();
}

TEST_CASE("a child that missed the first signal hears the next one, and is not killed") {
  const TempDir directory;
  const std::string farewell = directory.path() / "farewell";
  {
    const auto child = shell("trap 'trap \"touch " + farewell +
                             "; exit 0\" TERM' TERM; echo ready >&2; while :; do sleep 0.01; done");
    REQUIRE(child.has_value());
  }
  CHECK(std::filesystem::exists(farewell));
}

TEST_CASE("a child gets none of our descriptors") {
  const TempDir directory;
  const auto file = directory.path() / "open";
  const int fd = open(file.c_str(), O_CREAT | O_RDWR, 0600);  // not close-on-exec, as Asio's sockets
  REQUIRE(fd >= 0);
  const auto child = shell("echo ready >&2; exec sleep 1000");
  close(fd);
  REQUIRE(child.has_value());
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(child->pid()) + "/fd")) {
    CHECK(std::filesystem::read_symlink(entry) != file);
  }
}

TEST_CASE("a child dies with us even when we are killed") {
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  const pid_t parent = fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    auto child = shell("echo ready >&2; exec sleep 1000");
    const pid_t pid = child ? child->pid() : 0;
    (void)!write(pipes[1], &pid, sizeof pid);
    for (;;) pause();
  }
  pid_t grandchild = 0;
  REQUIRE(read(pipes[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  REQUIRE(grandchild > 0);
  const int pidfd = open_pidfd(grandchild);
  REQUIRE(pidfd >= 0);
  kill(parent, SIGKILL);
  REQUIRE(waitpid(parent, nullptr, 0) == parent);
  CHECK(ends_within(pidfd, 10s));
  close(pidfd);
  close(pipes[0]);
  close(pipes[1]);
}

TEST_CASE("a temporary directory is private and goes with its owner") {
  std::filesystem::path path;
  {
    const TempDir directory;
    path = directory.path();
    CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms::owner_all);
    std::filesystem::create_directory(path / "inner");
    const TempDir other;
    CHECK(other.path() != path);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}
