// SPDX-License-Identifier: Apache-2.0
//
// Transport `tls`: TLS 1.3 over TCP with an external PSK and X25519, no certificates, no tickets.
//
// On the loop thread. Opening costs about 1.0 kB at IP level (a trimmed certificate handshake: 2.4 kB); a
// record adds 14 bytes to a frame, as TLS_AES_128_CCM_8_SHA256 has an 8-byte tag (a forgery ends the
// connection, so 2^-64 a try is plenty). The dialled side's first frame leaves in the same segment as its
// Finished: hand it over inside the callback.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "gateway/link/enrolment.hpp"
#include "gateway/link/transport/transport.hpp"

namespace tulpar::link {

struct TlsOptions {
  std::uint64_t rate_bps = 9600;             // where pacing starts
  std::chrono::seconds keepalive{0};         // TCP probes after this silence; 0: none
  Millis timeout{std::chrono::seconds(15)};  // for connecting and for the handshake, each
};

// What a failed attempt cost on the wire is told with it; `refused`: somebody was there and did not want us.
struct DialFailure {
  std::string why;
  WireCount wire;
  bool refused = false;
};

// One attempt to reach a relay. Destroying it gives the attempt up.
class TlsDialer {
 public:
  using Connected = std::function<void(std::shared_ptr<Transport>)>;
  using Failed = std::function<void(DialFailure)>;
  TlsDialer(boost::asio::io_context& loop, const Clock& clock, const Enrolment& enrolment,
            const TlsOptions& options, Connected connected, Failed failed);
  ~TlsDialer();

 private:
  class Attempt;
  std::shared_ptr<Attempt> attempt_;
};

// The relay's end: accepts gateways that are enrolled, at most `kMostHandshakes` unfinished at once (the oldest
// goes).
class TlsListener {
 public:
  using FindKey = std::function<std::optional<Enrolment>(std::string_view key_id)>;
  using Accepted = std::function<void(std::string name, std::shared_ptr<Transport>)>;
  static constexpr std::size_t kMostHandshakes = 64;

  // `address`: HOST:PORT, HOST numeric. Throws std::runtime_error if it cannot listen there.
  TlsListener(boost::asio::io_context& loop, const Clock& clock, const std::string& address,
              const TlsOptions& options, FindKey find_key, Accepted accepted);
  ~TlsListener();
  std::uint16_t port() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tulpar::link
