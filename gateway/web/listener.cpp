// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/listener.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/web/connection.hpp"

namespace tulpar::web {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Out of file descriptors: trying again at once would only spin.
constexpr Millis kAcceptPause{1000};

Error failed(const std::string& what, const std::string& where, const error_code& error) {
  return Error{fmt::format("cannot {} {}: {}", what, where, error.message())};
}

std::string address_of(const tcp::socket& socket) {
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return {};
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

// Begins a connection, if there is room for it.
void begin(const std::shared_ptr<ServerCore>& core, ConnectionTable& table, StreamSocket socket,
           Caller caller) {
  Stream stream(std::move(socket));
  auto& counters = core->api->counters();
  auto place = table.enter(caller.address, [stream, &counters]() mutable {
    ++counters.turned_away;
    stream.close();
  });
  if (!place) {
    ++counters.turned_away;
    return;
  }
  ++counters.connections;
  if (caller.local) place->known();
  auto served = serve_connection(core, std::move(stream), std::move(caller), std::move(place));
  asio::co_spawn(core->executor, std::move(served), [](const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("web connection: {}", error.what());
    }
  });
}

template <class Protocol>
class Acceptor : public Listener {
 public:
  Acceptor(std::shared_ptr<ServerCore> core, typename Protocol::acceptor acceptor)
      : state_(std::make_shared<State>(State{std::move(core), std::move(acceptor)})) {}
  ~Acceptor() override {
    error_code ignored;
    state_->acceptor.close(ignored);
  }
  void run() {
    asio::co_spawn(state_->core->executor, accept(state_), [](const std::exception_ptr&) {});
  }

 protected:
  struct State {
    std::shared_ptr<ServerCore> core;
    typename Protocol::acceptor acceptor;
  };

  static asio::awaitable<void> accept(std::shared_ptr<State> state) {
    asio::steady_timer pause(state->core->executor);
    while (state->acceptor.is_open()) {
      auto [error, socket] = co_await state->acceptor.async_accept(kTuple);
      if (!state->acceptor.is_open() || state->core->stopped) co_return;
      if (error) {
        spdlog::warn("web: cannot accept a connection: {}", error.message());
        pause.expires_after(kAcceptPause);
        co_await pause.async_wait(kTuple);
        continue;
      }
      take(state->core, std::move(socket));
    }
  }

  static void take(const std::shared_ptr<ServerCore>& core, tcp::socket socket) {
    Caller caller{.address = address_of(socket)};
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    begin(core, core->remote, StreamSocket(std::move(socket)), std::move(caller));
  }
  static void take(const std::shared_ptr<ServerCore>& core, asio::local::stream_protocol::socket socket) {
    begin(core, core->local, StreamSocket(std::move(socket)), Caller{.local = true});
  }

  std::shared_ptr<State> state_;
};

class TcpListener final : public Acceptor<tcp> {
 public:
  using Acceptor::Acceptor;
  std::uint16_t port() const override {
    error_code error;
    return state_->acceptor.local_endpoint(error).port();
  }
};

class LocalListener final : public Acceptor<asio::local::stream_protocol> {
 public:
  LocalListener(std::shared_ptr<ServerCore> core, asio::local::stream_protocol::acceptor acceptor,
                std::string path)
      : Acceptor(std::move(core), std::move(acceptor)), path_(std::move(path)) {}
  ~LocalListener() override { unlink(path_.c_str()); }

 private:
  std::string path_;
};

// What stands in the way of a new socket: nothing any more, or somebody who serves it.
Result<void> clear_path(const asio::any_io_executor& executor, const std::string& path) {
  struct stat there {};
  if (lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode)) return Error{fmt::format("{} is in the way: it is no socket", path)};
  asio::local::stream_protocol::socket probe(executor);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (!error)
    return Error{fmt::format("{} is served already: another tulpar runs on this state directory", path)};
  unlink(path.c_str());
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::tcp(const std::shared_ptr<ServerCore>& core,
                                                const config::HostPort& address) {
  const auto where = config::format_host_port(address);
  error_code error;
  asio::ip::tcp::resolver resolver(core->executor);
  const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
  if (error || found.empty()) return failed("find the address", where, error);
  const auto endpoint = found.begin()->endpoint();
  asio::ip::tcp::acceptor acceptor(core->executor);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed("listen on", where, error);
  auto listener = std::make_unique<TcpListener>(core, std::move(acceptor));
  listener->run();
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::local(const std::shared_ptr<ServerCore>& core,
                                                  const std::string& path) {
  using Local = asio::local::stream_protocol;
  // sockaddr_un::sun_path, with its NUL.
  if (path.size() > 107) return Error{fmt::format("{}: the path of a socket has at most 107 bytes", path)};
  if (const auto clear = clear_path(core->executor, path); !clear) return clear.error();
  error_code error;
  Local::acceptor acceptor(core->executor);
  acceptor.open(Local(), error);
  if (!error) acceptor.bind(Local::endpoint(path), error);
  // Before it listens nobody can be connected, whatever the umask made of the mode.
  if (!error && chmod(path.c_str(), 0660) != 0) error = error_code(errno, boost::system::system_category());
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed("listen on", path, error);
  auto listener = std::make_unique<LocalListener>(core, std::move(acceptor), path);
  listener->run();
  return listener;
}

}  // namespace tulpar::web
