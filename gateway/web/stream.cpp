// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/stream.hpp"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace tulpar::web {
namespace {

namespace asio = boost::asio;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// One TLS record: what stands in several buffers leaves in one record, and in one packet.
constexpr std::size_t kPiece = 16 * 1024;

}  // namespace

struct Stream::Connection {
  explicit Connection(StreamSocket with) : socket(std::move(with)), deadline(socket.get_executor()) {}
  void close() {
    error_code ignored;
    socket.close(ignored);
  }
  StreamSocket socket;
  asio::steady_timer deadline;
  bool expired = false;
  std::optional<asio::ssl::context> context;
  std::optional<asio::ssl::stream<StreamSocket&>> tls;
  std::string outgoing;  // of the write under way
};

Stream::Stream(StreamSocket socket) : connection_(std::make_shared<Connection>(std::move(socket))) {}

Stream::executor_type Stream::get_executor() const { return connection_->socket.get_executor(); }

void Stream::expires_after(Millis time) {
  connection_->deadline.expires_after(time);
  connection_->deadline.async_wait([weak = std::weak_ptr(connection_)](const error_code& error) {
    const auto connection = weak.lock();
    // One that was put off after it had fired comes without an error, too.
    if (error || !connection || connection->deadline.expiry() > asio::steady_timer::clock_type::now()) return;
    connection->expired = true;
    connection->close();
  });
}

void Stream::expires_never() { connection_->deadline.expires_at(asio::steady_timer::time_point::max()); }
bool Stream::expired() const { return connection_->expired; }
void Stream::close() { connection_->close(); }

void Stream::end_sending() {
  error_code ignored;
  connection_->socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

asio::awaitable<error_code> Stream::start_tls(const TlsContext& context, std::string_view first) {
  // The wrapper frees what it is given.
  SSL_CTX_up_ref(context.get());
  connection_->context.emplace(context.get());
  connection_->tls.emplace(connection_->socket, *connection_->context);
  const auto [error, used] =
      co_await connection_->tls->async_handshake(asio::ssl::stream_base::server, asio::buffer(first), kTuple);
  co_return error;
}

asio::awaitable<void> Stream::end_tls() {
  if (connection_->tls) co_await connection_->tls->async_shutdown(kTuple);
}

asio::awaitable<std::size_t> Stream::read_some(asio::mutable_buffer into) {
  const auto [error, size] = co_await async_read_some(into, kTuple);
  co_return error ? 0 : size;
}

asio::awaitable<bool> Stream::write(std::string_view text) {
  while (!text.empty()) {
    const auto [error, size] = co_await async_write_some(asio::buffer(text), kTuple);
    if (error) co_return false;
    text.remove_prefix(size);
  }
  co_return true;
}

void Stream::start_read(asio::mutable_buffer into, Handler done) {
  if (connection_->tls)
    connection_->tls->async_read_some(into, std::move(done));
  else
    connection_->socket.async_read_some(into, std::move(done));
}

void Stream::gather(const void* data, std::size_t size) {
  auto& out = connection_->outgoing;
  if (!data)
    out.clear();
  else
    out.append(static_cast<const char*>(data), std::min(size, kPiece - std::min(kPiece, out.size())));
}

void Stream::start_write(Handler done) {
  const auto piece = asio::buffer(connection_->outgoing);
  if (connection_->tls)
    connection_->tls->async_write_some(piece, std::move(done));
  else
    connection_->socket.async_write_some(piece, std::move(done));
}

}  // namespace tulpar::web
