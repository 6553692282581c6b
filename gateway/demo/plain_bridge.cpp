// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/plain_bridge.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "gateway/demo/certificates.hpp"

namespace tulpar::demo {
namespace {

constexpr Millis kPatience = std::chrono::seconds(10);
// Somebody else may take a free port before mosquitto does.
constexpr int kTries = 3;
constexpr std::string_view kReady = " running";

// A port of 127.0.0.1 that is free now; 0 where none is.
std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool found = fd >= 0 && bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  if (fd >= 0) close(fd);
  return found ? ntohs(address.sin_port) : 0;
}

// As root mosquitto would change its user, and with that lose the signal that ends it after us.
std::string common() {
  return fmt::format("log_dest stderr\nallow_anonymous true\npersistence false\n{}",
                     geteuid() == 0 ? "user root\n" : "");
}

std::string net_configuration(std::uint16_t tls_port, std::uint16_t port, const CertificateFiles& files) {
  return fmt::format(
      "{}listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n"
      "listener {} 127.0.0.1\nmax_queued_messages 0\n",
      common(), tls_port, files.ca.string(), files.server.string(), files.server_key.string(), port);
}

std::string site_configuration(std::uint16_t port, std::uint16_t link_port, const CertificateFiles& files) {
  return fmt::format(
      "{}listener {} 127.0.0.1\nmax_queued_messages 0\n"
      "connection up\naddress 127.0.0.1:{}\n"
      "bridge_cafile {}\nbridge_certfile {}\nbridge_keyfile {}\nbridge_insecure true\n"
      "topic # out 1\ntopic down/# in 1\n"
      "bridge_attempt_unsubscribe false\nnotifications false\ncleansession false\nkeepalive_interval 60\n",
      common(), port, link_port, files.ca.string(), files.client.string(), files.client_key.string());
}

Result<ChildProcess> run(const std::string& mosquitto, const std::filesystem::path& file,
                         const std::string& text) {
  if (!(std::ofstream(file) << text)) return Error{fmt::format("{}: cannot be written", file.string())};
  return ChildProcess::start({mosquitto, "-c", file.string()}, kReady, kPatience);
}

}  // namespace

Result<std::unique_ptr<PlainBridge>> PlainBridge::start(const MakeLink& make_link,
                                                        const std::string& mosquitto) {
  if (access(mosquitto.c_str(), X_OK) != 0) {
    return Error{fmt::format("{} is not there: install the package mosquitto", mosquitto)};
  }
  std::unique_ptr<PlainBridge> bridge(new PlainBridge);
  const auto files = write_certificates(bridge->directory_.path());
  if (!files) return files.error();

  Error last;
  std::uint16_t tls_port = 0;
  for (int i = 0; i < kTries && !bridge->net_; ++i) {
    tls_port = free_port();
    bridge->net_port_ = free_port();
    auto net = run(mosquitto, bridge->directory_.path() / "net.conf",
                   net_configuration(tls_port, bridge->net_port_, *files));
    if (net) bridge->net_.emplace(std::move(*net));
    if (!net) last = net.error();
  }
  if (!bridge->net_) return last;

  const std::uint16_t link_port = make_link(tls_port);
  for (int i = 0; i < kTries && !bridge->site_; ++i) {
    bridge->site_port_ = free_port();
    auto site = run(mosquitto, bridge->directory_.path() / "site.conf",
                    site_configuration(bridge->site_port_, link_port, *files));
    if (site) bridge->site_.emplace(std::move(*site));
    if (!site) last = site.error();
  }
  if (!bridge->site_) return last;
  return bridge;
}

}  // namespace tulpar::demo
