// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/transport/tls.hpp"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>

#include "gateway/link/transport/tls_connection.hpp"

namespace tulpar::link {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::pair<std::string, std::string> split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

}  // namespace

class TlsDialer::Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(asio::io_context& loop, const Clock& clock, Enrolment enrolment, const TlsOptions& options,
          Connected connected, Failed failed)
      : clock_(&clock),
        enrolment_(std::move(enrolment)),
        options_(options),
        connected_(std::move(connected)),
        failed_(std::move(failed)),
        resolver_(loop),
        socket_(loop),
        timer_(loop) {}

  void start() {
    timer_.expires_after(options_.timeout);
    timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
      if (auto self = weak.lock(); self && !cancelled) self->fail("no answer");
    });
    const auto [host, port] = split_address(enrolment_.address);
    resolver_.async_resolve(
        host, port, [self = shared_from_this()](const error_code& failed, const auto& endpoints) {
          if (self->over_) return;
          if (failed)
            return self->fail(fmt::format("cannot resolve {}: {}", self->enrolment_.address, failed.message()));
          self->connect(endpoints);
        });
  }

  void cancel() {
    over_ = true;
    connected_ = nullptr;
    failed_ = nullptr;
    error_code ignored;
    resolver_.cancel();
    timer_.cancel();
    socket_.close(ignored);
    if (connection_) connection_->abort("given up");
    connection_.reset();
  }

 private:
  void connect(const tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints, [self = shared_from_this()](const error_code& failed, const auto&) {
      if (self->over_) return;
      if (failed) return self->fail(failed.message());
      self->timer_.cancel();
      self->handshake();
    });
  }

  void handshake() {
    connection_ =
        std::make_shared<TlsConnection>(std::move(socket_), TlsEngine::client(enrolment_), *clock_, options_);
    connection_->start(
        [weak = weak_from_this()](std::shared_ptr<TlsConnection> connection, const Error* error) {
          auto self = weak.lock();
          if (!self || self->over_) return;
          if (error) return self->fail(error->message, connection->wire(), !connection->timed_out());
          self->over_ = true;
          self->connection_.reset();
          self->connected_(std::move(connection));
        });
  }

  void fail(std::string why, std::optional<WireCount> wire = std::nullopt, bool refused = false) {
    if (over_) return;
    over_ = true;
    timer_.cancel();
    if (!wire) {
      const auto info = socket_.is_open() ? tcp_info(socket_.native_handle(), false) : std::nullopt;
      wire = info ? WireCount{info->wire_sent, info->wire_received} : WireCount{};
    }
    error_code ignored;
    socket_.close(ignored);
    resolver_.cancel();
    connection_.reset();
    if (auto failed = std::exchange(failed_, nullptr))
      failed({fmt::format("{}: {}", enrolment_.address, why), *wire, refused});
  }

  const Clock* clock_;
  Enrolment enrolment_;
  TlsOptions options_;
  Connected connected_;
  Failed failed_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<TlsConnection> connection_;
  bool over_ = false;
};

TlsDialer::TlsDialer(asio::io_context& loop, const Clock& clock, const Enrolment& enrolment,
                     const TlsOptions& options, Connected connected, Failed failed)
    : attempt_(
          std::make_shared<Attempt>(loop, clock, enrolment, options, std::move(connected), std::move(failed))) {
  attempt_->start();
}
TlsDialer::~TlsDialer() { attempt_->cancel(); }

class TlsListener::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, const Clock& clock, const TlsOptions& options, FindKey find_key,
       Accepted accepted)
      : clock_(&clock),
        options_(options),
        find_key_(std::move(find_key)),
        accepted_(std::move(accepted)),
        acceptor_(loop) {}

  void listen(const std::string& address) {
    const auto [host, port] = split_address(address);
    try {
      const tcp::endpoint endpoint(asio::ip::make_address(host), static_cast<std::uint16_t>(std::stoi(port)));
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen();
    } catch (const std::exception& error) {
      throw std::runtime_error(fmt::format("cannot listen on {} for gateways: {}", address, error.what()));
    }
    accept();
  }

  void stop() {
    error_code ignored;
    acceptor_.close(ignored);
    for (auto& connection : std::exchange(pending_, {})) connection->abort("shutting down");
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const error_code& failed, tcp::socket socket) {
      if (failed == asio::error::operation_aborted) return;
      if (!failed) self->handshake(std::move(socket));
      self->accept();
    });
  }

  void handshake(tcp::socket socket) {
    if (pending_.size() >= kMostHandshakes) pending_.front()->abort("too many unfinished handshakes");
    auto connection =
        std::make_shared<TlsConnection>(std::move(socket), TlsEngine::server(find_key_), *clock_, options_);
    pending_.push_back(connection);
    connection->start(
        [weak = weak_from_this()](const std::shared_ptr<TlsConnection>& done, const Error* error) {
          auto self = weak.lock();
          if (!self) return;
          std::erase(self->pending_, done);
          if (!error) self->accepted_(done->peer_name(), done);
        });
  }

  const Clock* clock_;
  TlsOptions options_;
  FindKey find_key_;
  Accepted accepted_;
  tcp::acceptor acceptor_;
  std::deque<std::shared_ptr<TlsConnection>> pending_;
};

TlsListener::TlsListener(asio::io_context& loop, const Clock& clock, const std::string& address,
                         const TlsOptions& options, FindKey find_key, Accepted accepted)
    : impl_(std::make_shared<Impl>(loop, clock, options, std::move(find_key), std::move(accepted))) {
  impl_->listen(address);
}
TlsListener::~TlsListener() { impl_->stop(); }
std::uint16_t TlsListener::port() const { return impl_->port(); }

}  // namespace tulpar::link
