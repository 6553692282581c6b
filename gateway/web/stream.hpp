// SPDX-License-Identifier: Apache-2.0
//
// A connection's bytes, with TLS or without, and one deadline for whatever is under way. Internal to this
// folder.
//
// On the loop thread. A handle: copies share the connection, which is closed with the last of them. It hides
// which kind it is from all that is built upon it, so that HTTP and WebSocket are compiled once and apart from
// TLS. At most one read and one write at a time.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "gateway/web/certificate.hpp"

namespace tulpar::web {

using StreamSocket = boost::asio::generic::stream_protocol::socket;
using boost::system::error_code;

class Stream {
 public:
  explicit Stream(StreamSocket socket);

  // Closes the connection unless another deadline is set before. Begins open-ended.
  void expires_after(Millis time);
  void expires_never();
  bool expired() const;
  void close();
  // The other side sees the end; it may still send.
  void end_sending();

  // The server's part of the handshake; `first` is what was read already.
  boost::asio::awaitable<error_code> start_tls(const TlsContext& context, std::string_view first);
  // Tells the other side, where there is TLS, that nothing more comes.
  boost::asio::awaitable<void> end_tls();
  // 0: it ended, was closed, or expired.
  boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer into);
  boost::asio::awaitable<bool> write(std::string_view text);

  // What others' code asks of a stream (Asio's AsyncReadStream, AsyncWriteStream).
  using executor_type = boost::asio::any_io_executor;
  executor_type get_executor() const;
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    boost::asio::mutable_buffer into;
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers);
         ++at)
      if (into.size() == 0) into = *at;
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [self = *this, into](auto handler) mutable { self.start_read(into, erased(std::move(handler))); },
        token);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    gather(nullptr, 0);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers);
         ++at)
      gather(boost::asio::const_buffer(*at).data(), boost::asio::const_buffer(*at).size());
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [self = *this](auto handler) mutable { self.start_write(erased(std::move(handler))); }, token);
  }

 private:
  using Handler = std::function<void(error_code, std::size_t)>;
  template <class Movable>
  static Handler erased(Movable handler) {
    // std::function copies what it holds, and handlers can only be moved.
    return [held = std::make_shared<Movable>(std::move(handler))](error_code error, std::size_t size) {
      auto last = std::move(*held);
      std::move(last)(error, size);
    };
  }
  void start_read(boost::asio::mutable_buffer into, Handler done);
  // Adds to what the next start_write() sends, as much as there is room for; no data: begins anew.
  void gather(const void* data, std::size_t size);
  void start_write(Handler done);

  struct Connection;
  std::shared_ptr<Connection> connection_;
};

}  // namespace tulpar::web
