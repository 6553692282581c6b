// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "gateway/demo/display.hpp"
#include "gateway/demo/narrator.hpp"
#include "gateway/demo/show.hpp"
#include "gateway/demo/summary.hpp"
#include "gateway/real_clock.hpp"

namespace tulpar::demo {
namespace {

// The screen's dots move that often (screen.cpp); also how late a key may be heard.
constexpr Millis kFrame{120};
constexpr Millis kLogEvery = std::chrono::seconds(5);

std::unique_ptr<Display> make_display(boost::asio::io_context& io, Show& show, std::stop_source& stop) {
  auto on_key = [&show, &stop](char key) {
    if (key == 's') show.sos();
    if (key == 'r') show.reply();
    if (key == 'c') show.toggle_link();
    if (key == 'q') stop.request_stop();
  };
  auto screen = make_screen(io.get_executor(), STDOUT_FILENO, on_key);
  return screen ? std::move(*screen) : make_log(STDOUT_FILENO, kLogEvery);
}

Result<void> run(boost::asio::io_context& io, Show& show, std::stop_source& stop) {
  const auto display = make_display(io, show, stop);
  Narrator narrator;
  while (!stop.stop_requested() && !display->lost()) {
    if (auto well = show.step(); !well) return well;
    DemoState state = show.state();
    state.note = narrator.note(state);
    display->show(state);
    io.run_for(kFrame);
  }
  return {};
}

// Unlike fmt::print, does not throw where the terminal or the reader has gone.
void say(std::FILE* out, const std::string& text) {
  std::fputs(text.c_str(), out);
  std::fflush(out);
}

Result<void> start_and_run(const DemoOptions& options) {
  if (auto good = check(options); !good) return good;
  const RealClock clock;
  boost::asio::io_context io(1);
  std::stop_source stop;
  // Before the terminal is touched: it leaves alone what somebody handles.
  boost::asio::signal_set signals(io, SIGINT, SIGTERM, SIGHUP);
  signals.add(SIGQUIT);
  signals.async_wait([&](const boost::system::error_code&, int) { stop.request_stop(); });
  std::signal(SIGPIPE, SIG_IGN);  // `tulpar demo | head`

  if (isatty(STDERR_FILENO)) say(stderr, "Starting four brokers, a relay and a gateway …\n");
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  auto show = Show::start(io, clock, options, program, stop.get_token());
  if (stop.stop_requested()) return {};
  if (!show) return show.error();
  auto ran = run(io, **show, stop);
  say(stdout, closing((*show)->state()));
  return ran;
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const auto ran = start_and_run(options);
  if (!ran) say(stderr, fmt::format("tulpar demo: {}\n", ran.error().message));
  return ran ? 0 : 1;
}

}  // namespace tulpar::demo
