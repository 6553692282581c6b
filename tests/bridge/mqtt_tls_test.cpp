// SPDX-License-Identifier: Apache-2.0
//
// TLS to a real mosquitto: who is believed, and what is said of who is not.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "bridge/mqtt_client.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/bridge/real_broker.hpp"

namespace tulpar::bridge {
namespace {

using test::run_until;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

// A certificate for the name `localhost` that vouches for itself, and its key, into two files.
void write_certificate(const std::string& cert_file, const std::string& key_file) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate cert(X509_new(), X509_free);
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key.get());
  const auto* name = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC, name, -1, -1, 0);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
  X509_sign(cert.get(), key.get(), EVP_sha256());
  const File cert_out(std::fopen(cert_file.c_str(), "w"), std::fclose);
  PEM_write_X509(cert_out.get(), cert.get());
  const File key_out(std::fopen(key_file.c_str(), "w"), std::fclose);
  PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

struct Listener : MqttClient::Handler {
  void on_connected(const MqttSession&) override {}
  void on_disconnected() override {}
  void on_acks(const std::vector<MqttAck>& acks) override { answers += acks.size(); }
  std::size_t answers = 0;
};

TEST_CASE("TLS: the broker's name is checked against its certificate", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  queue::TempDir dir;
  write_certificate(dir / "cert.pem", dir / "key.pem");
  test::RealBroker broker("certfile " + (dir / "cert.pem") + "\nkeyfile " + (dir / "key.pem") + "\n");
  auto options = broker.options("tls");
  options.host = "localhost";
  options.tls.enabled = true;
  options.tls.ca = dir / "cert.pem";
  bool welcome = true;
  SECTION("its own name, vouched for") {}
  SECTION("another name, not checked") {
    options.host = "127.0.0.1";
    options.tls.insecure = true;
  }
  SECTION("another name") {
    options.host = "127.0.0.1";
    welcome = false;
  }
  SECTION("nobody vouches") {
    options.tls.ca = "";
    welcome = false;
  }
  boost::asio::io_context loop;
  Listener listener;
  MqttClient client(loop, options, listener);
  client.start();
  // At first it may not listen yet.
  REQUIRE(run_until(loop, [&] {
    const auto status = client.status();
    return status.connected || (!status.problem.empty() && status.problem.find("refused") == std::string::npos);
  }));
  CHECK(client.status().connected == welcome);
  if (!welcome) {
    CHECK_THAT(client.status().problem, Contains("certificate verify failed"));
    return;
  }
  REQUIRE(client.publish("t", Bytes(100'000, 7), "id").has_value());
  REQUIRE(run_until(loop, [&] { return listener.answers == 1; }));
}

}  // namespace
}  // namespace tulpar::bridge
