// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tulpar::demo {
namespace {

using std::chrono::steady_clock;

constexpr Millis kPoliteWait = std::chrono::seconds(2);
// Mosquitto forgets a signal that comes between its word `running` and its main loop.
constexpr Millis kReminder{100};
// Of a child's complaint; the beginning names the cause.
constexpr std::size_t kMaxComplaint = 2000;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

int poll_for(int fd, steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<Millis>(deadline - steady_clock::now());
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, static_cast<int>(std::max<Millis::rep>(0, left.count())));
}

// Between fork and exec only what is safe in a signal handler may be called.
[[noreturn]] void become(char* const* argv, int error_fd, int null_fd, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  dup2(null_fd, STDIN_FILENO);
  dup2(null_fd, STDOUT_FILENO);
  dup2(error_fd, STDERR_FILENO);
  // Nobody reads its standard error once it is ready, and Asio's sockets are not close-on-exec.
  signal(SIGPIPE, SIG_IGN);
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(argv[0], argv);
  const char* reason = strerrordesc_np(errno);
  if (reason) (void)!write(STDERR_FILENO, reason, strlen(reason));
  _exit(127);
}

// Without the end of the last line, as the end of an error.
std::string complaint(const std::string& written) {
  const std::size_t last = written.find_last_not_of(" \n");
  return written.substr(0, last == std::string::npos ? 0 : std::min(last + 1, kMaxComplaint));
}

// An error where `ready` did not come: what was written instead.
Result<void> wait_until_ready(int fd, std::string_view ready, Millis patience) {
  const auto deadline = steady_clock::now() + patience;
  std::string written = "\n";
  while (written.find(ready) == std::string::npos) {
    const int polled = poll_for(fd, deadline);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0)
      return Error{fmt::format("not ready after {} ms: {}", patience.count(), complaint(written.substr(1)))};
    char buffer[1024];
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return Error{fmt::format("it ended: {}", complaint(written.substr(1)))};
    written.append(buffer, static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& argv, std::string_view ready,
                                         Millis patience) {
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) return Error{fmt::format("pipe for {}: {}", argv[0], strerror(errno))};
  const Fd from_child(pipes[0]);
  Fd to_us(pipes[1]);
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return Error{fmt::format("fork for {}: {}", argv[0], strerror(errno))};
  if (pid == 0) become(arguments.data(), to_us.get(), null.get(), parent);
  to_us.reset();
  ChildProcess child(pid);
  if (const auto waited = wait_until_ready(from_child.get(), ready, patience); !waited) {
    return Error{fmt::format("{}: {}", argv[0], waited.error().message)};
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, 0);
  }
  return *this;
}

bool ChildProcess::running() const {
  siginfo_t info{};
  return pid_ != 0 && waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

void ChildProcess::terminate() {
  if (pid_ != 0) kill(pid_, SIGTERM);
}

void ChildProcess::stop() {
  if (pid_ == 0) return;
  {
    // By number: glibc 2.36 declares pidfd_open without C linkage.
    const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    bool ended = false;
    for (Millis waited{0}; pidfd.get() >= 0 && !ended && waited < kPoliteWait; waited += kReminder) {
      terminate();
      ended = poll_for(pidfd.get(), steady_clock::now() + kReminder) == 1;
    }
    if (!ended) kill(pid_, SIGKILL);
  }
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

}  // namespace tulpar::demo
