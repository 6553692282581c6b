// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/display.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "tests/catch.hpp"
#include "tests/gateway/demo/pseudo_terminal.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

// All that is in a pipe now.
std::string read_all(int fd) {
  std::string text(100'000, '\0');
  fcntl(fd, F_SETFL, O_NONBLOCK);
  const ssize_t size = read(fd, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

struct Pipe {
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  int ends[2];
};

}  // namespace

TEST_CASE("without a terminal: the page once, news when there are some, a summary now and then") {
  const Pipe pipe;
  const auto log = make_log(pipe.ends[1], 5s);
  DemoState s;
  s.note = "The satellite was away.";
  log->show(s);
  CHECK_THAT(read_all(pipe.ends[0]), StartsWith("The satellite was away.\n") && Contains("link up"));
  s.page = "http://127.0.0.1:9999/#code=K7QX22M9";
  s.page_note = "(127.0.0.1:8480 is taken)";
  s.running = 120ms;
  log->show(s);
  CHECK(read_all(pipe.ends[0]) == "page: http://127.0.0.1:9999/#code=K7QX22M9  (127.0.0.1:8480 is taken)\n");
  // The code is renewed all the time; who wants a new one has a terminal.
  s.page = "http://127.0.0.1:8480/#code=ZZZZZZZZ";
  s.running = 4900ms;
  log->show(s);
  CHECK(read_all(pipe.ends[0]).empty());
  s.running = 5s;
  log->show(s);
  CHECK_THAT(read_all(pipe.ends[0]), Contains("5.0 s  link up"));
  CHECK_FALSE(log->lost());
}

TEST_CASE("a reader that has gone is noticed") {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  const auto log = make_log(pipe.ends[1], 5s);
  close(pipe.ends[0]);
  log->show({});
  CHECK(log->lost());
  pipe.ends[0] = dup(pipe.ends[1]);
}

TEST_CASE("a screen shows a picture, then only what changed, and all of it after a change of size") {
  boost::asio::io_context io;
  const PseudoTerminal terminal;
  const auto screen = make_screen(io.get_executor(), terminal.program, [](char) {});
  REQUIRE(screen.has_value());
  DemoState s;
  s.nodes = 40;
  (*screen)->show(s);
  CHECK_THAT(terminal.shown(), Contains("40 nodes") && Contains("each message"));
  s.nodes = 41;
  (*screen)->show(s);
  CHECK_THAT(terminal.shown(), Contains("41 nodes") && !Contains("each message"));
  terminal.resize(80, 24);
  (*screen)->show(s);
  CHECK_THAT(terminal.shown(), Contains("41 nodes") && Contains("each message"));
  CHECK_FALSE((*screen)->lost());
}

TEST_CASE("keys reach whoever asked for them") {
  boost::asio::io_context io;
  const PseudoTerminal terminal;
  std::string keys;
  const auto screen = make_screen(io.get_executor(), terminal.program, [&](char key) { keys += key; });
  REQUIRE(screen.has_value());
  REQUIRE(write(terminal.person, "sq", 2) == 2);
  while (keys.size() < 2) io.run_one();
  CHECK(keys == "sq");
}

TEST_CASE("what is no terminal cannot be a screen") {
  boost::asio::io_context io;
  const Pipe pipe;
  CHECK_FALSE(make_screen(io.get_executor(), pipe.ends[1], [](char) {}).has_value());
}
