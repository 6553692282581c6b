// SPDX-License-Identifier: Apache-2.0
//
// The terminal that the demo draws on: raw keys and a screen of its own, given back whatever ends us.
//
// Thread rule: one RawTerminal in a process, made and destroyed on one thread. It restores the terminal on
// destruction, on exit(), and on each fatal signal that has its default action when it is made (SIGTERM,
// SIGABRT, SIGSEGV ...); then the signal takes its course. Only after SIGKILL the shell's `reset` helps.
#pragma once

#include <memory>
#include <optional>

#include "config/base.hpp"

namespace tulpar::demo {

struct TerminalSize {
  std::size_t width = 80, height = 24;
};

// Nothing where `fd` is no terminal.
std::optional<TerminalSize> terminal_size(int fd);
// True where `fd` is a terminal that knows colours and nobody asked to do without (NO_COLOR, TERM=dumb).
bool wants_colour(int fd);

class RawTerminal {
 public:
  // Keys come one by one and are not echoed, Ctrl-C still interrupts, Ctrl-Z is a key; the screen is switched
  // to the alternate one without a cursor. An error says why `fd` cannot: no terminal, a dumb one, in the
  // background, or in use.
  static Result<std::unique_ptr<RawTerminal>> enter(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  // The terminal, opened anew and non-blocking: setting that on `fd` would set it for the shell too.
  int fd() const { return fd_; }

 private:
  explicit RawTerminal(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace tulpar::demo
