// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "gateway/web/http.hpp"

namespace tulpar::web {
namespace {

// A thousand messages are half a megabyte; what is larger than this is not our server.
constexpr std::size_t kMaxAnswer = 64 << 20;

class Socket {
 public:
  Socket() : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Error explain(const std::string& path, int error) {
  if (error == ENOENT || error == ECONNREFUSED)
    return Error{fmt::format("{}: nobody answers; is tulpar running with this state directory?", path)};
  if (error == EACCES)
    return Error{
        fmt::format("{}: not allowed; be root or in the group that owns it (`adduser NAME tulpar`)", path)};
  if (error == EAGAIN) return Error{fmt::format("{}: no answer in time", path)};
  return Error{fmt::format("{}: {}", path, std::strerror(error))};
}

// 0, or errno.
int connect_to(const Socket& socket, const std::string& path, Millis timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  timeval limit{};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  const bool ready = socket.fd() >= 0 &&
                     setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
                     setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                     connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return ready ? 0 : errno;
}

int send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return 0;
}

// To the end of the connection: we asked for it to be closed.
int receive_all(int fd, std::string& text) {
  char piece[16 * 1024];
  while (text.size() <= kMaxAnswer) {
    const auto got = recv(fd, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    text.append(piece, static_cast<std::size_t>(got));
  }
  return EMSGSIZE;
}

template <class Number>
std::optional<Number> leading_number(std::string_view text) {
  Number value{};
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<ClientAnswer> parse(std::string_view text) {
  const auto head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos || !text.starts_with("HTTP/1.1 ")) return std::nullopt;
  const auto status = leading_number<int>(text.substr(9));
  auto head = text.substr(0, head_end + 2);
  const auto body = text.substr(head_end + 4);
  std::size_t length = 0;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), "Content-Length"))
      continue;
    const auto told = leading_number<std::size_t>(line.substr(colon + 1));
    if (!told) return std::nullopt;
    length = *told;
  }
  if (!status || body.size() != length) return std::nullopt;
  return ClientAnswer{*status, std::string(body)};
}

}  // namespace

Client::Client(const std::string& state_dir, Millis timeout)
    : path_(state_dir + "/tulpar.sock"), timeout_(timeout) {}

Result<ClientAnswer> Client::ask(std::string_view method, std::string_view target,
                                 std::string_view json) const {
  const Socket socket;
  if (const int error = connect_to(socket, path_, timeout_)) return explain(path_, error);
  auto request = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, target);
  if (!json.empty())
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", json.size());
  request += "\r\n";
  request += json;
  // A refusal may come before all was sent, and is worth more than the broken pipe.
  const int send_error = send_all(socket.fd(), request);
  std::string text;
  const int receive_error = receive_all(socket.fd(), text);
  const auto answer = parse(text);
  if (answer) return *answer;
  if (send_error || receive_error) return explain(path_, send_error ? send_error : receive_error);
  return Error{fmt::format("{}: the answer is cut short or is not HTTP", path_)};
}

std::string problem_text(const ClientAnswer& answer) {
  boost::system::error_code error;
  const auto document = boost::json::parse(answer.body, error);
  if (!error && document.is_object()) {
    const auto* detail = document.get_object().if_contains("detail");
    if (detail && detail->is_string()) return std::string(detail->get_string());
  }
  return fmt::format("{} {}", answer.status, phrase(answer.status));
}

}  // namespace tulpar::web
