// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/link_emulator.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <map>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tulpar::demo {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
// What may wait for an application that does not read; the receive window of the model's connections.
constexpr std::size_t kUnread = 65'535;
constexpr Millis kAcceptPause{200};
constexpr std::size_t kTcpHeader = 52;
constexpr std::size_t kTcpOptions = 12;

using MaxSegment = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_MAXSEG>;

// Best effort: a link with thick kernel buffers is still a link.
template <class Socket>
void make_thin(Socket& socket, std::size_t mtu) {
  error_code ignored;
  // The window is half of what the kernel makes of this, two segments: with less, the sender halves its
  // segments.
  socket.set_option(asio::socket_base::receive_buffer_size(static_cast<int>(2 * mtu)), ignored);
  socket.set_option(asio::socket_base::send_buffer_size(1), ignored);  // raised to the kernel's minimum
  // TCP_MAXSEG counts the options too.
  socket.set_option(MaxSegment(static_cast<int>(mtu - kTcpHeader + kTcpOptions)), ignored);
  if constexpr (std::is_same_v<Socket, tcp::socket>) socket.set_option(tcp::no_delay(true), ignored);
}

// One end of a connection: the application's side of the link.
struct End {
  explicit End(const asio::any_io_executor& executor) : socket(executor), room(executor), work(executor) {}
  tcp::socket socket;
  asio::steady_timer room;  // cancelled when there may be room to read on
  asio::steady_timer work;  // cancelled when there is something to deliver
  Bytes unread;             // came over the link, not yet written to the socket
  bool finished = false;    // nothing comes after `unread`
};

struct Session {
  explicit Session(const asio::any_io_executor& executor) : ends{End(executor), End(executor)} {}
  std::array<End, 2> ends;  // 0: the site's, 1: the target's
  int delivered = 0;        // directions that ended in good order
  bool gone = false;
};
using SessionPtr = std::shared_ptr<Session>;

End& source(Session& session, Direction direction) { return session.ends[static_cast<std::size_t>(direction)]; }
End& target_of(Session& session, Direction direction) { return source(session, opposite(direction)); }

// Closed with a reset, so that an application that still writes hears of it.
void drop(Session& session) {
  session.gone = true;
  for (End& end : session.ends) {
    error_code ignored;
    end.socket.set_option(asio::socket_base::linger(true, 0), ignored);
    end.socket.close(ignored);
    end.room.cancel();
    end.work.cancel();
  }
}

}  // namespace

struct LinkEmulator::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor executor_, const Clock& clock_, const LinkSettings& settings_, std::uint64_t seed)
      : executor(std::move(executor_)),
        clock(clock_),
        settings(settings_),
        model(settings_, seed),
        acceptor(executor),
        timer(executor) {}

  asio::any_io_executor executor;
  const Clock& clock;
  LinkSettings settings;
  LinkModel model;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  tcp::endpoint target;
  std::map<ConnectionId, SessionPtr> sessions;
  bool stopped = false;

  void listen(std::uint16_t port);
  void stop();
  void kick() { timer.cancel(); }
  void dispatch(LinkEvent event);
  // The completion handler keeps the State alive: a coroutine may be resumed once more after the emulator's
  // end.
  void spawn(asio::awaitable<void> work) {
    asio::co_spawn(executor, std::move(work), [self = shared_from_this()](std::exception_ptr broken) {
      if (broken) std::rethrow_exception(broken);
    });
  }

  asio::awaitable<void> accept();
  asio::awaitable<void> run_model();
  asio::awaitable<void> connect(ConnectionId id, SessionPtr session);
  asio::awaitable<void> read(ConnectionId id, SessionPtr session, Direction direction);
  asio::awaitable<void> deliver(ConnectionId id, SessionPtr session, Direction direction);
};

void LinkEmulator::State::listen(std::uint16_t port) {
  const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  // Accepted sockets inherit these; later would be too late for the segment size.
  make_thin(acceptor, settings.mtu);
  acceptor.bind(endpoint);
  acceptor.listen();
}

void LinkEmulator::State::stop() {
  stopped = true;
  error_code ignored;
  acceptor.close(ignored);
  timer.cancel();
  for (auto& [id, session] : sessions) drop(*session);
  sessions.clear();
}

asio::awaitable<void> LinkEmulator::State::accept() {
  while (!stopped) {
    auto session = std::make_shared<Session>(executor);
    const auto [ec] = co_await acceptor.async_accept(source(*session, Direction::kUp).socket, kUse);
    if (stopped) co_return;
    if (ec) {
      // No descriptor left, perhaps: trying again at once would only burn the processor.
      asio::steady_timer pause(executor, kAcceptPause);
      co_await pause.async_wait(kUse);
      continue;
    }
    const ConnectionId id = model.open(clock.now());
    sessions.emplace(id, session);
    spawn(read(id, session, Direction::kUp));
    spawn(deliver(id, session, Direction::kDown));
    kick();
  }
}

asio::awaitable<void> LinkEmulator::State::run_model() {
  while (!stopped) {
    for (LinkEvent& event : model.step(clock.now())) dispatch(std::move(event));
    for (auto& [id, session] : sessions) {
      for (End& end : session->ends) end.room.cancel();
    }
    const BootTime now = clock.now();
    const auto wake = model.next_wake(now);
    timer.expires_after(wake ? *wake - now : Millis(std::chrono::hours(1)));
    co_await timer.async_wait(kUse);
  }
}

void LinkEmulator::State::dispatch(LinkEvent event) {
  const auto it = sessions.find(event.connection);
  if (it == sessions.end()) return;
  const SessionPtr session = it->second;
  End& end = target_of(*session, event.direction);
  switch (event.kind) {
    case LinkEvent::Kind::kOpening:
      spawn(connect(event.connection, session));
      break;
    case LinkEvent::Kind::kBytes:
      end.unread.insert(end.unread.end(), event.bytes.begin(), event.bytes.end());
      end.work.cancel();
      break;
    case LinkEvent::Kind::kFinished:
      end.finished = true;
      end.work.cancel();
      break;
    case LinkEvent::Kind::kReset:
      drop(*session);
      sessions.erase(it);
      break;
  }
}

asio::awaitable<void> LinkEmulator::State::connect(ConnectionId id, SessionPtr session) {
  tcp::socket& socket = target_of(*session, Direction::kUp).socket;
  error_code ec;
  socket.open(target.protocol(), ec);
  if (!ec) {
    make_thin(socket, settings.mtu);
    std::tie(ec) = co_await socket.async_connect(target, kUse);
  }
  if (session->gone) co_return;
  if (ec) {
    model.reset(clock.now(), id, Direction::kDown);
  } else {
    model.accept(clock.now(), id);
    spawn(read(id, session, Direction::kDown));
    spawn(deliver(id, session, Direction::kUp));
  }
  kick();
}

asio::awaitable<void> LinkEmulator::State::read(ConnectionId id, SessionPtr session, Direction direction) {
  End& from = source(*session, direction);
  const End& to = target_of(*session, direction);
  Bytes buffer(settings.buffer);
  while (!session->gone) {
    const std::size_t room = to.unread.size() < kUnread ? model.room(id, direction) : 0;
    if (room == 0) {
      from.room.expires_after(std::chrono::hours(1));
      co_await from.room.async_wait(kUse);
      continue;
    }
    const auto [ec, size] =
        co_await from.socket.async_read_some(asio::buffer(buffer.data(), std::min(room, buffer.size())), kUse);
    if (session->gone) co_return;
    if (size > 0) model.write(clock.now(), id, direction, ByteView(buffer.data(), size));
    if (ec == asio::error::eof) model.finish(clock.now(), id, direction);
    if (ec && ec != asio::error::eof) model.reset(clock.now(), id, direction);
    kick();
    if (ec) co_return;
  }
}

asio::awaitable<void> LinkEmulator::State::deliver(ConnectionId id, SessionPtr session, Direction direction) {
  End& to = target_of(*session, direction);
  while (!session->gone) {
    if (to.unread.empty() && to.finished) {
      error_code ignored;
      to.socket.shutdown(tcp::socket::shutdown_send, ignored);
      if (++session->delivered == 2) sessions.erase(id);
      co_return;
    }
    if (to.unread.empty()) {
      to.work.expires_after(std::chrono::hours(1));
      co_await to.work.async_wait(kUse);
      continue;
    }
    const Bytes bytes = std::exchange(to.unread, {});
    const auto [ec, size] = co_await asio::async_write(to.socket, asio::buffer(bytes), kUse);
    if (session->gone) co_return;
    if (ec) {
      model.reset(clock.now(), id, opposite(direction));
      kick();
      co_return;
    }
    source(*session, direction).room.cancel();
  }
}

LinkEmulator::LinkEmulator(asio::any_io_executor executor, const Clock& clock, const LinkSettings& settings,
                           std::uint64_t seed, const LinkTarget& target, std::uint16_t listen_port)
    : state_(std::make_shared<State>(std::move(executor), clock, settings, seed)) {
  state_->target = tcp::endpoint(asio::ip::make_address(target.address), target.port);
  state_->listen(listen_port);
  state_->spawn(state_->accept());
  state_->spawn(state_->run_model());
}

LinkEmulator::~LinkEmulator() { state_->stop(); }

std::uint16_t LinkEmulator::port() const { return state_->acceptor.local_endpoint().port(); }

void LinkEmulator::cut() {
  state_->model.cut(state_->clock.now());
  state_->kick();
}

void LinkEmulator::mend() {
  state_->model.mend(state_->clock.now());
  state_->kick();
}

bool LinkEmulator::up() const { return state_->model.up(); }

LinkMeter LinkEmulator::meter(Direction direction) const { return state_->model.meter(direction); }

std::size_t LinkEmulator::pending(Direction direction) const { return state_->model.pending(direction); }

}  // namespace tulpar::demo
