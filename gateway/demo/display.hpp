// SPDX-License-Identifier: Apache-2.0
//
// Where the demo is shown: a screen on a terminal, lines of text anywhere else.
//
// Thread rule: made, used and destroyed on the executor's one thread. Nothing here blocks but a pipe whose
// reader is slow. The terminal is given back on destruction.
#pragma once

#include <memory>
#include <string>

#include "gateway/demo/keys.hpp"
#include "gateway/demo/state.hpp"

namespace tulpar::demo {

class Display {
 public:
  virtual ~Display() = default;
  virtual void show(const DemoState& state) = 0;
  // Nobody can see it any more.
  virtual bool lost() const = 0;
};

// Redrawn in place by each show(); without a terminal to draw on or with one that is not ours: an error.
Result<std::unique_ptr<Display>> make_screen(boost::asio::any_io_executor executor, int fd,
                                             Keyboard::OnKey on_key);

// To `fd`: the page's address first, then the news when there are some, and a summary every `every`.
std::unique_ptr<Display> make_log(int fd, Millis every);

}  // namespace tulpar::demo
