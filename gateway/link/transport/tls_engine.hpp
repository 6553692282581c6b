// SPDX-License-Identifier: Apache-2.0
//
// TLS as a pure machine: bytes from the network in, bytes for the network out, frames on the other side.
//
// Not thread-safe; no sockets. Wraps OpenSSL with memory buffers, so that what the handshake ends with and the
// first frame can leave together. A frame is one record: a varint of its length and its bytes (FORMAT.md,
// "Frame").
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "gateway/link/enrolment.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace tulpar::link {

class TlsEngine {
 public:
  using FindKey = std::function<std::optional<Enrolment>(std::string_view key_id)>;
  // The dialling side, with its key; the listening side, which looks the key up by the id that the peer offers.
  static std::unique_ptr<TlsEngine> client(const Enrolment& enrolment);
  static std::unique_ptr<TlsEngine> server(FindKey find_key);
  ~TlsEngine();

  // Begins the handshake (the dialling side has something to send then).
  Result<void> start() { return advance(); }
  // Bytes came in. Error: why the connection must end.
  Result<void> received(ByteView bytes);
  bool established() const { return established_; }
  bool dialling() const { return own_.has_value(); }
  // Who the peer is; REQUIRES: established, listening side.
  const std::string& peer() const { return peer_; }

  // The next whole frame that came in; nothing: none yet. Error: malformed.
  Result<std::optional<Bytes>> next_frame();
  // Bytes that came in and are no frame that was taken yet.
  std::size_t waiting() const { return plain_.size() - plain_used_; }
  // REQUIRES: established.
  Result<void> send(ByteView frame);
  // Tells the peer that nothing more comes.
  void close_notify();

  // What must go to the network now; it is taken.
  Bytes take_output();

 private:
  TlsEngine();
  Result<void> advance();
  Result<void> read_plain();
  std::string problem() const;
  friend struct TlsCallbacks;

  struct Free {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::optional<Enrolment> own_;  // dialling side
  FindKey find_key_;
  std::string peer_;
  bool established_ = false;
  Bytes plain_;
  std::size_t plain_used_ = 0;
};

}  // namespace tulpar::link
