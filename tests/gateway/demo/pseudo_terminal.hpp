// SPDX-License-Identifier: Apache-2.0
//
// A terminal without a screen, for tests: 100 x 30 characters; one end is the person's, the other the
// program's.
//
// One thread. Both ends stay open as long as it lives.
#pragma once

#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "tests/catch.hpp"

namespace tulpar::demo {

struct PseudoTerminal {
  PseudoTerminal() {
    const winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(openpty(&person, &program, nullptr, nullptr, &size) == 0);
  }
  ~PseudoTerminal() {
    close(person);
    close(program);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  void resize(unsigned short width, unsigned short height) const {
    const winsize size{.ws_row = height, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(ioctl(person, TIOCSWINSZ, &size) == 0);
  }
  termios mode() const {
    termios mode{};
    REQUIRE(tcgetattr(program, &mode) == 0);
    return mode;
  }
  bool raw() const { return (mode().c_lflag & (ICANON | ECHO)) == 0; }

  // All that was written to it since the last time. The kernel hands it over some time later, but in order:
  // once a mark written now has come, all before it has.
  std::string shown() const {
    static constexpr char kMark = '\x05';  // ENQ: nobody draws with it
    REQUIRE(write(program, &kMark, 1) == 1);
    std::string text;
    while (text.empty() || text.back() != kMark) {
      char buffer[4096];
      const ssize_t size = read(person, buffer, sizeof buffer);
      REQUIRE(size > 0);
      text.append(buffer, static_cast<std::size_t>(size));
    }
    text.pop_back();
    return text;
  }

  int person = -1, program = -1;
};

}  // namespace tulpar::demo
