// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/keys.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace tulpar::demo {
namespace {

namespace asio = boost::asio;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

// The key under a Cyrillic letter, for those that mean something here; 0: none.
char under(unsigned char lead, unsigned char tail) {
  struct Letter {
    unsigned lower, upper;
    char key;
  };
  static constexpr Letter kLetters[] = {{0xd18b, 0xd0ab, 's'},   // ы
                                        {0xd181, 0xd0a1, 'c'},   // с
                                        {0xd0ba, 0xd09a, 'r'},   // к
                                        {0xd0b9, 0xd099, 'q'}};  // й
  const unsigned letter = static_cast<unsigned>(lead) << 8 | tail;
  for (const Letter& each : kLetters) {
    if (letter == each.lower || letter == each.upper) return each.key;
  }
  return 0;
}

}  // namespace

std::string KeyParser::feed(std::string_view bytes) {
  std::string keys;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    switch (state_) {
      case State::kGround:
        if (byte == 0x1b) {
          state_ = State::kEscape;
        } else if (byte == 0xd0 || byte == 0xd1) {
          state_ = State::kCyrillic;
          lead_ = byte;
        } else if (byte >= 0x20 && byte < 0x7f) {
          keys += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
        }
        break;
      case State::kEscape:
        state_ = byte == '[' || byte == 'O' ? State::kSequence : State::kGround;
        break;
      case State::kSequence:
        if (byte >= 0x40 && byte <= 0x7e) state_ = State::kGround;
        break;
      case State::kCyrillic:
        state_ = State::kGround;
        if (const char key = under(lead_, byte)) keys += key;
        break;
    }
  }
  return keys;
}

struct Keyboard::State {
  State(const asio::any_io_executor& executor, int fd, OnKey on_key_)
      : descriptor(executor, fd), on_key(std::move(on_key_)) {}

  asio::posix::stream_descriptor descriptor;
  OnKey on_key;
  KeyParser parser;
  bool stopped = false;

  asio::awaitable<void> read();
};

asio::awaitable<void> Keyboard::State::read() {
  std::array<char, 64> buffer;
  while (!stopped) {
    const auto [ec, size] = co_await descriptor.async_read_some(asio::buffer(buffer), kUse);
    if (ec) co_return;
    for (const char key : parser.feed({buffer.data(), size})) {
      if (stopped) co_return;
      on_key(key);
    }
  }
}

Keyboard::Keyboard(asio::any_io_executor executor, const RawTerminal& terminal, OnKey on_key)
    // A descriptor of its own, because Asio closes it and the terminal's must stay to restore the mode.
    : state_(std::make_shared<State>(executor, fcntl(terminal.fd(), F_DUPFD_CLOEXEC, 0), std::move(on_key))) {
  asio::co_spawn(executor, state_->read(), [state = state_](std::exception_ptr broken) {
    if (broken) std::rethrow_exception(broken);
  });
}

Keyboard::~Keyboard() {
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

}  // namespace tulpar::demo
