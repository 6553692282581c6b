// SPDX-License-Identifier: Apache-2.0
//
// Keys from the terminal, one by one.
//
// Thread rule: KeyParser is a plain value; Keyboard is made, used and destroyed on the executor's one thread,
// and keys arrive there. The RawTerminal must outlive it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/demo/terminal.hpp"

namespace tulpar::demo {

// Bytes of a terminal to keys: printable ASCII in lower case. Cursor keys and the like give nothing. Letters of
// the Russian and Kazakh layout count as what stands in their place on the keyboard, so that nobody has to
// switch.
class KeyParser {
 public:
  std::string feed(std::string_view bytes);

 private:
  enum class State : unsigned char { kGround, kEscape, kSequence, kCyrillic } state_ = State::kGround;
  unsigned char lead_ = 0;  // of a two-byte letter
};

class Keyboard {
 public:
  using OnKey = std::function<void(char key)>;  // must not destroy the keyboard
  Keyboard(boost::asio::any_io_executor executor, const RawTerminal& terminal, OnKey on_key);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tulpar::demo
