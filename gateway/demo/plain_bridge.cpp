// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/plain_bridge.hpp"

#include <fmt/format.h>

#include "gateway/demo/certificates.hpp"
#include "gateway/demo/ports.hpp"

namespace tulpar::demo {
namespace {

std::string net_configuration(std::uint16_t tls_port, const CertificateFiles& files) {
  return fmt::format("listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n",
                     tls_port, files.ca.string(), files.server.string(), files.server_key.string());
}

std::string site_configuration(std::uint16_t link_port, const CertificateFiles& files) {
  return fmt::format(
      "connection up\naddress 127.0.0.1:{}\n"
      "bridge_cafile {}\nbridge_certfile {}\nbridge_keyfile {}\nbridge_insecure true\n"
      "topic # out 1\ntopic down/# in 1\n"
      "bridge_attempt_unsubscribe false\nnotifications false\ncleansession false\nkeepalive_interval 60\n",
      link_port, files.ca.string(), files.client.string(), files.client_key.string());
}

}  // namespace

Result<std::unique_ptr<PlainBridge>> PlainBridge::start(const MakeLink& make_link,
                                                        const std::string& mosquitto) {
  std::unique_ptr<PlainBridge> bridge(new PlainBridge);
  const std::filesystem::path& directory = bridge->directory_.path();
  const auto files = write_certificates(directory);
  if (!files) return files.error();

  std::uint16_t tls_port = 0;
  auto net = Broker::start(mosquitto, directory / "net.conf",
                           [&] { return net_configuration(tls_port = free_port(), *files); });
  if (!net) return net.error();
  bridge->net_.emplace(std::move(*net));

  const std::uint16_t link_port = make_link(tls_port);
  auto site =
      Broker::start(mosquitto, directory / "site.conf", [&] { return site_configuration(link_port, *files); });
  if (!site) return site.error();
  bridge->site_.emplace(std::move(*site));
  return bridge;
}

}  // namespace tulpar::demo
