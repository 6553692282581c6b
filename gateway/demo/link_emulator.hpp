// SPDX-License-Identifier: Apache-2.0
//
// An emulated satellite link for TCP on this machine, without root: listens on a loopback port and carries each
// connection to a target through a LinkModel.
//
// Thread rule: constructed, called and destroyed on the executor's one thread. Owns its sockets; after
// destruction no coroutine of it touches anything. Its sockets have the smallest kernel buffers and announce
// the link's segment size, so that a sender feels the link early and its TCP_INFO counts segments as on the
// link. What cannot be emulated from outside the kernel: a sender's kernel sees its bytes acknowledged once
// they are in here, and a connection attempt succeeds towards the emulator, then hangs, where the link is down.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "config/base.hpp"
#include "gateway/demo/link_model.hpp"

namespace tulpar::demo {

struct LinkTarget {
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 0;
};

class LinkEmulator {
 public:
  // Listens on 127.0.0.1:`listen_port` (0: a free one). Throws boost::system::system_error where that fails.
  LinkEmulator(boost::asio::any_io_executor executor, const Clock& clock, const LinkSettings& settings,
               std::uint64_t seed, const LinkTarget& target, std::uint16_t listen_port = 0);
  ~LinkEmulator();
  LinkEmulator(const LinkEmulator&) = delete;
  LinkEmulator& operator=(const LinkEmulator&) = delete;

  std::uint16_t port() const;
  void cut();
  void mend();
  bool up() const;
  // Lifetime totals at IP level.
  LinkMeter meter(Direction direction) const;
  // Bytes inside the emulator that have not come out.
  std::size_t pending(Direction direction) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tulpar::demo
