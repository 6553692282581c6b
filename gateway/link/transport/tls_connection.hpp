// SPDX-License-Identifier: Apache-2.0
//
// One established TCP connection with TLS on it, as a Transport. Private to transport/tls*.cpp.
//
// On the loop thread; kept alive by its own pending reads until closed.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "gateway/link/pacer.hpp"
#include "gateway/link/transport/tcp_info.hpp"
#include "gateway/link/transport/tls.hpp"
#include "gateway/link/transport/tls_engine.hpp"

namespace tulpar::link {

class TlsConnection : public Transport, public std::enable_shared_from_this<TlsConnection> {
 public:
  // Called once, when the handshake is done (`established`), or with why it failed. A connection that never
  // gets that far is closed after `options.timeout`.
  using Ready = std::function<void(std::shared_ptr<TlsConnection>, const Error*)>;
  TlsConnection(boost::asio::ip::tcp::socket socket, std::unique_ptr<TlsEngine> engine, const Clock& clock,
                const TlsOptions& options);
  void start(Ready ready);
  const std::string& peer_name() const { return engine_->peer(); }
  // The handshake came to no end in time.
  bool timed_out() const { return timed_out_; }

  void set_events(Events events) override;
  std::size_t frame_limit() const override;
  bool can_send(BootTime now) override;
  void send(Bytes frame, BootTime now) override;
  std::optional<BootTime> next_wake(BootTime now) const override;
  void close(std::string why) override;
  void abort(const std::string& why) override { end(why); }
  BootTime opened() const override { return opened_; }
  WireCount wire() override;
  std::optional<Millis> round_trip() const override;
  std::uint64_t rate_bps() const override { return pacer_.rate_bps(); }
  std::string peer_address() const override { return address_; }
  bool stalled(BootTime now) const override;
  void idle() override { pacer_.idle(); }

 private:
  void read();
  void on_bytes(std::size_t count);
  void deliver();
  void flush();
  void write();
  void sample(BootTime now);
  void end(const std::string& why);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<TlsEngine> engine_;
  const Clock* clock_;
  BootTime opened_;
  TlsOptions options_;
  Pacer pacer_;
  Events events_;
  Ready ready_;
  std::string address_, closing_;
  Bytes out_, in_;
  bool writing_ = false, ended_ = false, timed_out_ = false, paused_ = false;
  TcpInfo info_;         // the last that the kernel told
  BootTime progress_{};  // when the peer's TCP last acknowledged something, or nothing was outstanding
};

}  // namespace tulpar::link
