// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/keys.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "tests/catch.hpp"
#include "tests/gateway/demo/pseudo_terminal.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

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
  const PseudoTerminal pty;
  const termios before = pty.mode();
  const auto catch_handler = signal(SIGTERM, SIG_DFL);
  {
    const auto terminal = RawTerminal::enter(pty.program);
    REQUIRE(terminal.has_value());
    CHECK(pty.raw());
    CHECK((pty.mode().c_lflag & ISIG) != 0);
    CHECK_THAT(pty.shown(), Contains("\x1b[?1049h"));
    const auto second = RawTerminal::enter(pty.program);
    CHECK_FALSE(second.has_value());
    CHECK(pty.raw());  // the refused one restored nothing
  }
  CHECK(pty.mode().c_lflag == before.c_lflag);
  CHECK(pty.mode().c_cc[VSUSP] == before.c_cc[VSUSP]);
  CHECK_THAT(pty.shown(), Contains("\x1b[?1049l"));
  CHECK(signal(SIGTERM, catch_handler) == SIG_DFL);
  CHECK(RawTerminal::enter(pty.program).has_value());  // once more
}

TEST_CASE("whatever ends the program, the terminal is given back") {
  const int ending = GENERATE(SIGTERM, SIGABRT, SIGSEGV, 0);
  const PseudoTerminal pty;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The test program's own handlers are not what is tested.
    for (const int each : {SIGTERM, SIGABRT, SIGSEGV}) signal(each, SIG_DFL);
    const auto terminal = RawTerminal::enter(pty.program);
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
  CHECK_THAT(pty.shown(), Contains("\x1b[?1049l"));
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
  const PseudoTerminal pty;
  CHECK(terminal_size(pty.program)->width == 100);
  CHECK(terminal_size(pty.program)->height == 30);
  pty.resize(0, 0);  // unknown
  CHECK(terminal_size(pty.program)->width == 80);

  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  CHECK(wants_colour(pty.program));
  setenv("NO_COLOR", "", 1);
  CHECK(wants_colour(pty.program));
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(wants_colour(pty.program));
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  CHECK_FALSE(wants_colour(pty.program));
  CHECK_FALSE(RawTerminal::enter(pty.program).has_value());
  setenv("TERM", "xterm", 1);
}

TEST_CASE("what is typed arrives key by key") {
  const PseudoTerminal pty;
  const auto terminal = RawTerminal::enter(pty.program);
  REQUIRE(terminal.has_value());
  boost::asio::io_context io;
  std::string typed;
  auto keyboard = std::make_unique<Keyboard>(io.get_executor(), **terminal, [&](char key) { typed += key; });
  REQUIRE(write(pty.person, "sЫ", 3) == 3);
  for (int i = 0; i < 100 && typed.size() < 2; ++i) io.run_one_for(100ms);
  CHECK(typed == "ss");
  keyboard.reset();
  io.run_for(1s);  // ends by itself: nothing is left to wait for
  CHECK(io.stopped());
}
