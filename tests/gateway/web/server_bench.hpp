// SPDX-License-Identifier: Apache-2.0
//
// A web server on a loop of its own over a FakeBackend, and clients that speak to it byte by byte.
//
// The clients block, each read at most kPatience: a test that waits in vain fails, it does not hang. Nothing
// here sleeps.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <future>
#include <memory>
#include <thread>

#include "gateway/web/http_server.hpp"
#include "gateway/web/password.hpp"
#include "gateway/web/secrets.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

namespace tulpar::web {

constexpr int kPatienceS = 30;

class SteadyClock : public Clock {
 public:
  BootTime now() const override {
    return BootTime(std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch()));
  }
  WallTime wall() const override { return WallTime(std::chrono::seconds(1'795'000'000)); }
  bool trusted() const override { return true; }
  std::string boot_id() const override { return "boot-a"; }
};

class ServerBench {
 public:
  explicit ServerBench(const WebLimits& limits = {},
                       const config::Web& web = {.listen = "127.0.0.1:0", .tls = "off"}) {
    backend.current = a_status();
    thread_ = std::thread([this] { loop_.run(); });
    on_loop([&] {
      auto started =
          HttpServer::start(loop_.get_executor(), {"almaty-roof", dir.text(), web, limits}, backend, clock);
      if (started)
        server = std::move(*started);
      else
        error = started.error().message;
    });
  }
  ~ServerBench() {
    on_loop([this] { server.reset(); });
    work_.reset();
    // What is still under way has to end by itself: a connection that leaks keeps the loop, and the test, from
    // ending.
    thread_.join();
  }

  // Runs it where the server lives, and waits.
  template <class Run>
  std::invoke_result_t<Run&> on_loop(Run run) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Run&>()>>(std::move(run));
    auto result = task->get_future();
    boost::asio::post(loop_, [task] { (*task)(); });
    return result.get();
  }
  boost::asio::any_io_executor executor() { return loop_.get_executor(); }
  std::uint16_t port() {
    return on_loop([this] { return server->port(); });
  }
  std::string token() const { return load_or_make_token(dir.text()).value(); }

  TempDir dir;
  SteadyClock clock;
  FakeBackend backend;
  std::unique_ptr<HttpServer> server;
  std::string error;

 private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
  std::thread thread_;
};

// A client's end of a connection, in plain bytes.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    begin(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  explicit RawClient(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    begin(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  ~RawClient() {
    if (fd_ >= 0) close(fd_);
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}
  RawClient& operator=(RawClient&&) = delete;
  int fd() const { return fd_; }

  // False once the other side has closed.
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Adds to what was read. False: the end, or nothing came in time.
  bool read_more() {
    char piece[16 * 1024];
    const auto got = recv(fd_, piece, sizeof piece, 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (got <= 0) return false;
    read_.append(piece, static_cast<std::size_t>(got));
    return true;
  }
  // Takes so many bytes; fewer at the end of the connection.
  std::string take(std::size_t size) {
    while (read_.size() < size && read_more()) continue;
    auto taken = read_.substr(0, size);
    read_.erase(0, taken.size());
    return taken;
  }
  // Takes an answer's head, through its empty line; empty at the end of the connection.
  std::string take_head() {
    while (read_.find("\r\n\r\n") == std::string::npos)
      if (!read_more()) return {};
    return take(read_.find("\r\n\r\n") + 4);
  }
  // Waits for the server to close, without reading. False: it did not in that time.
  bool is_closed_within(int milliseconds) const {
    pollfd wanted{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    return poll(&wanted, 1, milliseconds) > 0;
  }
  // True once the server has closed.
  bool at_end() {
    while (read_more()) read_.clear();
    return !timed_out_;
  }

 private:
  void begin(const sockaddr* address, socklen_t size) {
    const timeval limit{.tv_sec = kPatienceS, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd_, address, size) != 0) throw std::runtime_error(std::strerror(errno));
  }

  int fd_;
  std::string read_;
  bool timed_out_ = false;
};

struct Answer {
  int status = 0;  // 0: the connection ended instead
  std::string head{}, body{};
};

inline std::string header_of(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

template <class Client>
Answer take_answer(Client& client, bool with_body = true) {
  Answer answer{.head = client.take_head()};
  if (answer.head.size() < 12) return answer;
  answer.status = std::stoi(answer.head.substr(9, 3));
  const auto length = header_of(answer.head, "Content-Length");
  if (with_body && !length.empty()) answer.body = client.take(std::stoul(length));
  return answer;
}

inline std::string get_text(std::string_view target, std::string_view more = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) + "\r\n";
}

template <class Client>
Answer get(Client& client, std::string_view target, std::string_view more = {}) {
  client.send(get_text(target, more));
  return take_answer(client);
}

}  // namespace tulpar::web
