// SPDX-License-Identifier: Apache-2.0
//
// Runs a loop until something is so. No test waits for a time to pass; the limit is for what never happens.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace tulpar::test {

template <class Condition>
bool run_until(boost::asio::io_context& loop, Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

// Lets everything happen that can without time passing, several times over: sockets in the same loop answer
// each other.
inline void settle(boost::asio::io_context& loop) {
  for (int i = 0; i < 200; ++i) {
    loop.restart();
    loop.poll();
  }
}

}  // namespace tulpar::test
