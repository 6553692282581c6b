// SPDX-License-Identifier: Apache-2.0
//
// A mesh that publishes as fast as its broker acknowledges: plays a file of MQTT 3.1.1 PUBLISH packets (QoS 1)
// with a bounded number of them unacknowledged.
//
// It speaks to the socket itself and writes many packets at once, so that on a machine of two cores it takes as
// little as can be from those that are measured.
// usage: bench_publisher PORT FILE WINDOW. Prints the monotonic clock in nanoseconds before the first packet
// and after the last acknowledgement.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr std::size_t kPuback = 4;  // bytes (MQTT 3.1.1, 3.4)

[[noreturn]] void fail(const char* doing) { throw std::system_error(errno, std::generic_category(), doing); }

// Where each packet ends (MQTT 3.1.1, 2.2.3: seven bits of length a byte, the least significant first).
std::vector<std::size_t> packet_ends(const std::string& bytes) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < bytes.size(); at = ends.back()) {
    std::size_t length = 0;
    int shift = 0;
    std::uint8_t byte = 0x80;
    for (++at; byte & 0x80; ++at, shift += 7) {
      byte = static_cast<std::uint8_t>(bytes.at(at));
      length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    }
    ends.push_back(at + length);
  }
  if (!ends.empty() && ends.back() != bytes.size()) throw std::runtime_error("the file ends inside a packet");
  return ends;
}

int open_session(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Clean session, no keepalive, the client's name "bench".
  constexpr char kConnect[] = "\x10\x11\0\4MQTT\4\2\0\0\0\5bench";
  char answer[4];
  if (write(fd, kConnect, sizeof kConnect - 1) < 0) fail("CONNECT");
  if (recv(fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer || answer[3] != 0)
    throw std::runtime_error("the broker refuses");
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

void play(int fd, const std::string& bytes, const std::vector<std::size_t>& ends, std::size_t window) {
  std::size_t sent = 0, answered = 0;  // bytes
  char in[4096];
  while (answered < ends.size() * kPuback) {
    const std::size_t allowed = ends[std::min(answered / kPuback + window, ends.size()) - 1];
    pollfd socket{fd, static_cast<short>(POLLIN | (sent < allowed ? POLLOUT : 0)), 0};
    if (poll(&socket, 1, -1) < 0) fail("poll");
    if (socket.revents & POLLOUT) {
      const ssize_t wrote = write(fd, bytes.data() + sent, allowed - sent);
      if (wrote < 0 && errno != EAGAIN) fail("write");
      sent += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
    if (socket.revents & ~POLLOUT) {
      const ssize_t got = read(fd, in, sizeof in);
      if (got == 0) throw std::runtime_error("the broker hangs up");
      if (got < 0 && errno != EAGAIN) fail("read");
      answered += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
  }
}

void print_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  std::printf("%lld\n", now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("usage: bench_publisher PORT FILE WINDOW");
  std::ifstream file(argv[2], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto ends = packet_ends(bytes);
  if (ends.empty()) throw std::runtime_error(std::string("no packets in ") + argv[2]);
  const int fd = open_session(std::stoi(argv[1]));
  print_now();
  play(fd, bytes, ends, std::stoul(argv[3]));
  print_now();
  close(fd);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_publisher: %s\n", error.what());
  return 1;
}
