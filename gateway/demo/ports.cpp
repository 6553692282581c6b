// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/ports.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace tulpar::demo {
namespace {

struct Free {
  void operator()(addrinfo* found) const { freeaddrinfo(found); }
};

struct Bound {
  std::uint16_t port = 0;  // 0: none
  int error = 0;           // errno
};

// Binds and lets go again.
Bound try_port(const addrinfo& where) {
  const int fd = socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {.error = errno};
  // As servers do: a port whose last connections are still fading away is free.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in6 bound{};  // the larger one; the port of both stands in the same place
  socklen_t size = sizeof bound;
  const bool done = bind(fd, where.ai_addr, where.ai_addrlen) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0;
  const int error = errno;
  close(fd);
  return done ? Bound{.port = ntohs(bound.sin6_port)} : Bound{.error = error};
}

Bound try_address(const config::HostPort& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list) != 0) {
    return {.error = EADDRNOTAVAIL};
  }
  const std::unique_ptr<addrinfo, Free> found(list);
  return try_port(*found);
}

}  // namespace

std::uint16_t free_port() { return try_address({"127.0.0.1", 0}).port; }

Result<config::HostPort> free_address(const config::HostPort& wanted) {
  Bound bound = try_address(wanted);
  if (bound.error == EADDRINUSE) bound = try_address({wanted.host, 0});
  if (bound.port == 0)
    return Error{fmt::format("{}: {}", config::format_host_port(wanted), strerror(bound.error))};
  return config::HostPort{wanted.host, bound.port};
}

}  // namespace tulpar::demo
