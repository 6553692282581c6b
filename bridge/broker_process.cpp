// SPDX-License-Identifier: Apache-2.0
#include "bridge/broker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace tulpar::bridge {
namespace {

namespace fs = std::filesystem;

// The kernel keeps no more of a process's name.
constexpr std::size_t kCommLength = 15;
// Of the log, from its end; a line is far shorter.
constexpr std::size_t kLogTail = 4096;

Error failed(const std::string& what) { return Error{fmt::format("{}: {}", what, strerror(errno))}; }

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whole or not at all, even through a power cut: a half-written secret would be another client's name.
Result<void> write_text(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed(part);
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int why = errno;
  close(fd);
  errno = why;
  if (!written || rename(part.c_str(), path.c_str()) != 0) return failed(path);
  return {};
}

Result<std::string> new_secret() {
  std::array<std::uint8_t, 16> random;
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return Error{"no random numbers"};
  std::string text;
  for (const auto byte : random) text += fmt::format("{:02x}", byte);
  return {boost::system::in_place_value, text};
}

bool same_dir(const std::string& a, const struct stat& b) {
  struct stat found {};
  return stat(a.c_str(), &found) == 0 && found.st_dev == b.st_dev && found.st_ino == b.st_ino;
}

// Ours but for what systemd tells us alone: mosquitto would answer its watchdog in our name.
std::vector<char*> child_environment() {
  std::vector<char*> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("NOTIFY_SOCKET=") && !text.starts_with("WATCHDOG_")) out.push_back(*entry);
  }
  out.push_back(nullptr);
  return out;
}

struct SpawnActions {
  SpawnActions() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

Result<ProcessHandle> ProcessHandle::open(pid_t pid) {
  // By number: glibc 2.36 declares pidfd_open without C linkage.
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return failed(fmt::format("process {}", pid));
  return ProcessHandle(fd);
}
ProcessHandle::ProcessHandle(ProcessHandle&& other) noexcept : fd_(other.release()) {}
ProcessHandle::~ProcessHandle() {
  if (fd_ >= 0) close(fd_);
}
int ProcessHandle::release() { return std::exchange(fd_, -1); }

Result<BrokerPlace> open_broker_place(const std::string& dir) {
  std::error_code why;
  const fs::path path = fs::absolute(dir, why).lexically_normal();
  fs::create_directories(path, why);
  if (why) return Error{fmt::format("{}: {}", dir, why.message())};
  if (chmod(path.c_str(), 0700) != 0) return failed(dir);
  BrokerPlace place{.dir = path.string(), .secret = read_text(path / "secret"), .as_root = geteuid() == 0};
  if (place.secret.size() == 32) return place;
  const auto secret = new_secret();
  if (!secret) return secret.error();
  if (auto done = write_text(path / "secret", *secret); !done) return done.error();
  place.secret = *secret;
  return place;
}

BrokerFiles read_broker_files(const std::string& dir) {
  return {.conf = read_text(dir + "/mosquitto.conf"),
          .passwords = read_text(dir + "/passwords"),
          .acl = read_text(dir + "/acl")};
}

Result<void> write_broker_files(const std::string& dir, const BrokerFiles& files) {
  if (auto done = write_text(dir + "/passwords", files.passwords); !done) return done;
  if (auto done = write_text(dir + "/acl", files.acl); !done) return done;
  return write_text(dir + "/mosquitto.conf", files.conf);
}

std::optional<pid_t> find_broker(const std::string& dir, const std::string& program) {
  struct stat ours {};
  if (stat(dir.c_str(), &ours) != 0) return std::nullopt;
  const std::string comm = fs::path(program).filename().string().substr(0, kCommLength) + "\n";
  std::error_code why;
  for (const auto& entry : fs::directory_iterator("/proc", why)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size()) continue;
    // A zombie's directory cannot be read.
    if (same_dir(entry.path() / "cwd", ours) && read_text(entry.path() / "comm") == comm) return pid;
  }
  return std::nullopt;
}

Result<pid_t> start_broker(const std::string& dir, const std::string& program) {
  SpawnActions spawn;
  const std::string log = dir + "/mosquitto.log", conf = dir + "/mosquitto.conf";
  posix_spawn_file_actions_addopen(&spawn.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&spawn.actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&spawn.actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addchdir_np(&spawn.actions, dir.c_str());
  // libmosquitto's and Asio's sockets are not close-on-exec.
  posix_spawn_file_actions_addclosefrom_np(&spawn.actions, 3);
  // A Ctrl-C in the terminal is for us: we end it after our own last commit. And it has no signals blocked.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&spawn.attributes, &none);
  posix_spawnattr_setpgroup(&spawn.attributes, 0);
  posix_spawnattr_setflags(&spawn.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::array<std::string, 3> arguments{program, "-c", conf};
  std::array<char*, 4> argv{arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  auto environment = child_environment();
  pid_t pid = 0;
  errno =
      posix_spawn(&pid, program.c_str(), &spawn.actions, &spawn.attributes, argv.data(), environment.data());
  if (errno != 0) return failed(program);
  return pid;
}

std::string broker_complaint(const std::string& dir) {
  std::string text = read_text(dir + "/mosquitto.log");
  if (text.size() > kLogTail) text.erase(0, text.size() - kLogTail);
  const auto at = text.rfind("Error: ");
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

Result<std::string> set_damaged_aside(const std::string& dir) {
  const std::string kept = dir + "/mosquitto.db", prefix = "mosquitto.db.damaged-";
  unsigned number = 0;
  std::vector<fs::path> older;
  std::error_code why;
  for (const auto& entry : fs::directory_iterator(dir, why)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    unsigned found = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), found);
    number = std::max(number, found);
    older.push_back(entry.path());
  }
  if (!fs::exists(kept, why)) return std::string();
  const std::string aside = fmt::format("{}.damaged-{}", kept, number + 1);
  fs::rename(kept, aside, why);
  if (why) return Error{fmt::format("cannot move {} aside: {}", kept, why.message())};
  for (const auto& file : older) fs::remove(file, why);
  return {boost::system::in_place_value, aside};
}

}  // namespace tulpar::bridge
