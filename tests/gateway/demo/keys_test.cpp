// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/keys.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

// A terminal without a screen: `master` is the person, `slave` the program's side.
struct Pty {
  Pty() {
    const winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(openpty(&master, &slave, nullptr, nullptr, &size) == 0);
  }
  ~Pty() {
    close(master);
    close(slave);
  }
  termios mode() const {
    termios mode{};
    REQUIRE(tcgetattr(slave, &mode) == 0);
    return mode;
  }
  bool raw() const { return (mode().c_lflag & (ICANON | ECHO)) == 0; }
  // All that the program wrote so far.
  std::string screen() const {
    std::string text;
    pollfd entry{.fd = master, .events = POLLIN, .revents = 0};
    char buffer[4096];
    while (poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN)) {
      const ssize_t size = read(master, buffer, sizeof buffer);
      if (size <= 0) break;
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  int master = -1, slave = -1;
};

}  // namespace

TEST_CASE("keys are letters in lower case; cursor keys are nothing") {
  KeyParser parser;
  CHECK(parser.feed("sCr Q") == "scr q");
  CHECK(parser.feed("\x1b[A\x1b[Cs\x1bOC\x1b[1;5Cq") == "sq");
  CHECK(parser.feed("\x1b[") == "");
  CHECK(parser.feed("C") == "");  // the rest of the sequence
  CHECK(parser.feed("c") == "c");
  CHECK(parser.feed("\x01\x04\x7f\n") == "");
}

TEST_CASE("a Cyrillic layout works without switching") {
  KeyParser parser;
  CHECK(parser.feed("ыскй") == "scrq");
  CHECK(parser.feed("ЫСКЙ") == "scrq");
  CHECK(parser.feed("жә") == "");
  CHECK(parser.feed("\xd1") == "");
  CHECK(parser.feed("\x8bq") == "sq");
}

TEST_CASE("the terminal is raw while it is held and as before afterwards") {
  const Pty pty;
  const termios before = pty.mode();
  const auto catch_handler = signal(SIGTERM, SIG_DFL);
  {
    const auto terminal = RawTerminal::enter(pty.slave);
    REQUIRE(terminal.has_value());
    CHECK(pty.raw());
    CHECK((pty.mode().c_lflag & ISIG) != 0);
    CHECK_THAT(pty.screen(), Contains("\x1b[?1049h"));
    const auto second = RawTerminal::enter(pty.slave);
    CHECK_FALSE(second.has_value());
    CHECK(pty.raw());  // the refused one restored nothing
  }
  CHECK(pty.mode().c_lflag == before.c_lflag);
  CHECK(pty.mode().c_cc[VSUSP] == before.c_cc[VSUSP]);
  CHECK_THAT(pty.screen(), Contains("\x1b[?1049l"));
  CHECK(signal(SIGTERM, catch_handler) == SIG_DFL);
  CHECK(RawTerminal::enter(pty.slave).has_value());  // once more
}

TEST_CASE("whatever ends the program, the terminal is given back") {
  const int ending = GENERATE(SIGTERM, SIGABRT, SIGSEGV, 0);
  const Pty pty;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The test program's own handlers are not what is tested.
    for (const int each : {SIGTERM, SIGABRT, SIGSEGV}) signal(each, SIG_DFL);
    const auto terminal = RawTerminal::enter(pty.slave);
    if (!terminal || !pty.raw()) _exit(99);
    if (ending == 0) std::exit(7);
    raise(ending);
    _exit(98);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (ending == 0) {
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 7));
  } else {
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == ending));
  }
  CHECK_FALSE(pty.raw());
  CHECK_THAT(pty.screen(), Contains("\x1b[?1049l"));
}

TEST_CASE("what is no terminal is refused") {
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  CHECK_FALSE(RawTerminal::enter(pipes[0]).has_value());
  CHECK_FALSE(terminal_size(pipes[0]).has_value());
  CHECK_FALSE(wants_colour(pipes[0]));
  close(pipes[0]);
  close(pipes[1]);
}

TEST_CASE("size and colour of a terminal") {
  const Pty pty;
  CHECK(terminal_size(pty.slave)->width == 100);
  CHECK(terminal_size(pty.slave)->height == 30);
  const winsize unknown{};
  ioctl(pty.master, TIOCSWINSZ, &unknown);
  CHECK(terminal_size(pty.slave)->width == 80);

  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  CHECK(wants_colour(pty.slave));
  setenv("NO_COLOR", "", 1);
  CHECK(wants_colour(pty.slave));
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(wants_colour(pty.slave));
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  CHECK_FALSE(wants_colour(pty.slave));
}

TEST_CASE("what is typed arrives key by key") {
  const Pty pty;
  const auto terminal = RawTerminal::enter(pty.slave);
  REQUIRE(terminal.has_value());
  boost::asio::io_context io;
  std::string typed;
  auto keyboard = std::make_unique<Keyboard>(io.get_executor(), **terminal, [&](char key) { typed += key; });
  REQUIRE(write(pty.master, "sЫ", 3) == 3);
  for (int i = 0; i < 100 && typed.size() < 2; ++i) io.run_one_for(100ms);
  CHECK(typed == "ss");
  keyboard.reset();
  io.run_for(1s);  // ends by itself: nothing is left to wait for
  CHECK(io.stopped());
}
