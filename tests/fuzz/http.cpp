// SPDX-License-Identifier: Apache-2.0
//
// What a client may send to the page's port, byte by byte, through a real connection: heads, bodies, pipelines,
// WebSocket. However it goes, the connection ends once the client has, and holds nothing.
//
// Input: one byte (by the Unix socket or not, and how the bytes are cut), then the stream.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "gateway/web/connection.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

namespace asio = boost::asio;

// The client's end: sends the stream in pieces as there is room, then no more; reads all that comes.
class Client {
 public:
  Client(int fd, ByteView stream, std::size_t piece) : fd_(fd), rest_(stream), piece_(piece) {}
  ~Client() { close(fd_); }
  // False: nothing moved.
  bool turn() {
    bool moved = false;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0; moved = true)
      answer.append(buffer, static_cast<std::size_t>(got));
    if (ended_) return moved;
    // Small pieces are slow: the first are, where heads begin and end.
    const auto piece = rest_.first(std::min(pieces_++ < 50 ? piece_ : rest_.size(), rest_.size()));
    const auto sent = piece.empty() ? 0 : send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) rest_ = rest_.subspan(static_cast<std::size_t>(sent));
    const bool refused = sent < 0 && errno != EAGAIN;
    if (rest_.empty() || refused) {
      ended_ = true;
      shutdown(fd_, SHUT_WR);
      return true;
    }
    return moved || sent > 0;
  }
  std::string answer;

 private:
  int fd_;
  ByteView rest_;
  std::size_t piece_;
  int pieces_ = 0;
  bool ended_ = false;
};

struct Server {
  Server() : core(std::make_shared<ServerCore>(loop.get_executor(), WebLimits{.bodies = 100'000}, clock)) {
    backend.current = a_status();
    core->api = std::make_shared<Api>(
        backend, clock, [](const std::string&, const std::function<void(Result<bool>)>& done) { done(false); },
        std::string(64, 'a'));
  }
  ~Server() {
    core->stopped = true;
    core->push_timer.cancel();
    core->feeds.end_all();
    loop.restart();
    loop.poll();
  }
  asio::io_context loop;
  ManualClock clock;
  FakeBackend backend;
  std::shared_ptr<ServerCore> core;
};

void judge(const Server& server, const Client& client) {
  require(server.core->body_bytes == 0, "a connection that ended holds no body");
  require(server.core->remote.size() == 0 && server.core->local.size() == 0,
          "a connection that ended has no place");
  const auto& answer = client.answer;
  require(answer.empty() || answer.starts_with("HTTP/1.1 "), "what is answered is HTTP");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const std::uint8_t how = in.u8();
  Server server;
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a connection can be made");
  Client client(ends[1], in.rest(), how < 128 ? 100'000 : 1 + how % 100);
  {
    const asio::generic::stream_protocol protocol(AF_UNIX, 0);
    Stream stream(StreamSocket(server.loop, protocol, ends[0]));
    const bool local = how % 2;
    auto place = (local ? server.core->local : server.core->remote).enter("192.0.2.1", [stream]() mutable {
      stream.close();
    });
    asio::co_spawn(
        server.loop,
        serve_connection(server.core, stream, {.local = local, .address = "192.0.2.1"}, std::move(place)),
        [](const std::exception_ptr& failure) { require(!failure, "a connection ends without a throw"); });
  }
  // Only deadlines are left once neither side moves; none may be needed after the client's end.
  for (bool moved = true; moved;) {
    moved = client.turn();
    server.loop.restart();
    moved = server.loop.poll() > 0 || moved;
  }
  judge(server, client);
  return 0;
}
