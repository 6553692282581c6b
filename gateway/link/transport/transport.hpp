// SPDX-License-Identifier: Apache-2.0
//
// What a link can run over. One object is one connection (or association) with one peer; it frames, seals,
// paces and counts.
//
// On the loop thread. Few functions on purpose: batches, acknowledgements and their state live above and
// survive it. The owner offers frames when can_send() says so, and is called back when that may have changed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/base.hpp"

namespace tulpar::link {

// Bytes at IP level that this connection has used so far, both directions, headers, handshakes and
// retransmissions included.
struct WireCount {
  std::uint64_t up = 0, down = 0;  // up: what we sent
};

class Transport {
 public:
  struct Events {
    std::function<void()> writable;  // can_send() may be true now
    std::function<void(ByteView frame)> received;
    std::function<void(std::string why)> closed;  // once, the last event
  };
  virtual ~Transport() = default;
  // Before anything else; nothing is called from inside this call.
  virtual void set_events(Events events) = 0;

  // How many bytes the next frame may have: what the link carries in 200 ms, within the transport's own bounds.
  virtual std::size_t frame_limit() const = 0;
  // True if a frame can leave now: at most one bandwidth-delay product and a frame are outside our hands.
  virtual bool can_send(BootTime now) = 0;
  // REQUIRES: can_send(now) and frame.size() <= frame_limit(), or it is a greeting or a bye.
  virtual void send(Bytes frame, BootTime now) = 0;
  // When can_send() may become true by time alone.
  virtual std::optional<BootTime> next_wake(BootTime now) const = 0;
  // The peer's side of the connection has acknowledged nothing for so long that it must be taken for dead.
  virtual bool stalled(BootTime now) const = 0;
  // There is nothing to send: the rate cannot be measured now.
  virtual void idle() = 0;
  // Sends what was handed over, then closes; `closed` follows.
  virtual void close(std::string why) = 0;
  // Ends at once; `closed` follows from inside this call.
  virtual void abort(const std::string& why) = 0;

  // When the connection was dialled or accepted; its handshake came after that.
  virtual BootTime opened() const = 0;
  virtual WireCount wire() = 0;
  virtual std::optional<Millis> round_trip() const = 0;
  virtual std::uint64_t rate_bps() const = 0;  // measured, bits a second up
  virtual std::string peer_address() const = 0;
};

}  // namespace tulpar::link
