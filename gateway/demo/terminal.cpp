// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tulpar::demo {
namespace {

// Alternate screen, no cursor; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";

constexpr std::array kFatal = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM};

// What a signal handler needs, in plain memory; -1: nothing to restore.
volatile sig_atomic_t restore_fd = -1;
termios saved_mode;

// Safe in a signal handler.
void restore() {
  if (restore_fd < 0) return;
  const int fd = restore_fd;
  restore_fd = -1;
  (void)!write(fd, kLeave.data(), kLeave.size());
  tcsetattr(fd, TCSANOW, &saved_mode);
}

void restore_and_die(int signal) {
  restore();
  // The handler was reset by SA_RESETHAND: this time it takes its course.
  raise(signal);
}

void guard(bool on) {
  for (const int signal : kFatal) {
    struct sigaction current {};
    sigaction(signal, nullptr, &current);
    const bool ours = current.sa_handler == restore_and_die;
    const bool free = current.sa_handler == SIG_DFL;
    if (on ? !free : !ours) continue;
    struct sigaction action {};
    action.sa_handler = on ? restore_and_die : SIG_DFL;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigaction(signal, &action, nullptr);
  }
}

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term && std::string_view(term) == "dumb";
}

}  // namespace

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return std::nullopt;
  // A serial console does not know its size.
  if (size.ws_col == 0 || size.ws_row == 0) return TerminalSize{};
  return TerminalSize{size.ws_col, size.ws_row};
}

bool wants_colour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const bool refused = no_colour && *no_colour != '\0';
  return isatty(fd) && !refused && std::getenv("TERM") && !is_dumb();
}

Result<std::unique_ptr<RawTerminal>> RawTerminal::enter(int fd) {
  char name[256];
  if (!isatty(fd) || ttyname_r(fd, name, sizeof name) != 0) return Error{"no terminal"};
  if (is_dumb()) return Error{"a terminal that can only print (TERM=dumb)"};
  if (restore_fd >= 0) return Error{"the terminal is in use already"};
  const int own = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (own < 0) return Error{fmt::format("{}: {}", name, strerror(errno))};
  std::unique_ptr<RawTerminal> terminal(new RawTerminal(own));
  const pid_t foreground = tcgetpgrp(own);
  if (foreground > 0 && foreground != getpgrp()) return Error{"in the background"};
  if (tcgetattr(own, &saved_mode) != 0) return Error{fmt::format("{}: {}", name, strerror(errno))};

  termios raw = saved_mode;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  // Stopping would leave the shell on our screen.
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  restore_fd = own;
  guard(true);
  static const bool at_exit = std::atexit(restore) == 0;
  (void)at_exit;
  tcsetattr(own, TCSANOW, &raw);
  (void)!write(own, kEnter.data(), kEnter.size());
  return terminal;
}

RawTerminal::~RawTerminal() {
  if (restore_fd == fd_) {
    restore();
    guard(false);
  }
  close(fd_);
}

}  // namespace tulpar::demo
