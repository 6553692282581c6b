// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/live_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace tulpar::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

// What Beast asks of a stream that is not its own: how a WebSocket's connection ends.
template <class Handler>
void async_teardown(beast::role_type, Stream& stream, Handler&& handler) {
  stream.end_sending();
  stream.close();
  asio::post(stream.get_executor(), [done = std::forward<Handler>(handler)]() mutable { done(error_code()); });
}
void beast_close_socket(Stream& stream) { stream.close(); }

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// A page has nothing to say on the live feed.
constexpr std::size_t kMaxFromPage = 1024;

// Without compression: its contexts would cost more memory than all the rest of a connection.
using Socket = websocket::stream<Stream, false>;

http::request<http::empty_body> as_beast(const Request& request) {
  http::request<http::empty_body> out(http::verb::get, request.target, 11);
  for (const auto& [name, value] : request.headers) out.insert(name, value);
  return out;
}

// What the two coroutines of a feed share.
struct Shared {
  Shared(Stream stream, const asio::any_io_executor& executor)
      : socket(std::move(stream)), wake(executor, asio::steady_timer::time_point::max()) {}
  Socket socket;
  asio::steady_timer wake;
  bool gone = false;  // the page
};

// Reads what a page has no reason to send, and sees it go.
asio::awaitable<void> listen_to(std::shared_ptr<Shared> shared) {
  beast::flat_buffer buffer;
  while (!shared->gone) {
    const auto [error, size] = co_await shared->socket.async_read(buffer, kTuple);
    shared->gone = error.failed();
    buffer.clear();
  }
  shared->wake.cancel();
}

// Sends each status as it comes. False: the page is gone, or too slow.
asio::awaitable<bool> send_statuses(const Clock& clock, Shared& shared, LiveFeeds::Feed& feed) {
  while (!shared.gone && !feed.ended()) {
    const auto text = feed.take();
    if (!text) {
      co_await shared.wake.async_wait(kTuple);
      continue;
    }
    feed.sending(clock.now());
    const auto [error, size] = co_await shared.socket.async_write(asio::buffer(*text), kTuple);
    feed.sent();
    if (error) co_return false;
  }
  co_return !shared.gone;
}

}  // namespace

asio::awaitable<void> serve_live(std::shared_ptr<ServerCore> core, Stream stream, Request request,
                                 std::string session) {
  auto shared = std::make_shared<Shared>(stream, core->executor);
  auto& socket = shared->socket;
  socket.read_message_max(kMaxFromPage);
  socket.text(true);
  websocket::stream_base::timeout deadlines{};
  deadlines.handshake_timeout = core->limits.read;
  deadlines.idle_timeout = core->limits.stall;
  deadlines.keep_alive_pings = true;
  socket.set_option(deadlines);
  const auto upgrade = as_beast(request);
  const auto [refused] = co_await socket.async_accept(upgrade, kTuple);
  if (refused || core->stopped) co_return;

  asio::co_spawn(core->executor, listen_to(shared), [](const std::exception_ptr&) {});
  auto feed = core->feeds.add(std::move(session));
  feed->on_wake([shared = shared.get(), feed = feed.get(), stream]() mutable {
    // A page that takes nothing would not take a goodbye either.
    if (feed->ended() && feed->is_sending()) stream.close();
    shared->wake.cancel();
  });
  auto& counters = core->api->counters();
  ++counters.live_feeds;
  core->arm_push();
  const bool there = co_await send_statuses(core->clock, *shared, *feed);
  --counters.live_feeds;
  if (there && !core->stopped) {
    const websocket::close_reason reason(websocket::close_code::policy_error, "signed out");
    co_await socket.async_close(reason, kTuple);
  }
  stream.close();
}

}  // namespace tulpar::web
