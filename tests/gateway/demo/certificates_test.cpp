// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/certificates.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <memory>

#include "gateway/demo/temp_dir.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;

namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;
using Connection = std::unique_ptr<SSL, Free>;

Context context(const std::filesystem::path& ca, const std::filesystem::path& certificate,
                const std::filesystem::path& key) {
  Context made(SSL_CTX_new(TLS_method()));
  REQUIRE(SSL_CTX_load_verify_locations(made.get(), ca.c_str(), nullptr) == 1);
  REQUIRE(SSL_CTX_use_certificate_file(made.get(), certificate.c_str(), SSL_FILETYPE_PEM) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(made.get(), key.c_str(), SSL_FILETYPE_PEM) == 1);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

// Both ends in memory; true when the handshake got through.
bool shake_hands(SSL_CTX* server_context, SSL_CTX* client_context) {
  const Connection server(SSL_new(server_context)), client(SSL_new(client_context));
  BIO *a = nullptr, *b = nullptr;
  REQUIRE(BIO_new_bio_pair(&a, 0, &b, 0) == 1);
  SSL_set_bio(server.get(), a, a);
  SSL_set_bio(client.get(), b, b);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  for (int i = 0; i < 10; ++i) {
    SSL_do_handshake(client.get());
    if (SSL_do_handshake(server.get()) == 1) return SSL_version(server.get()) == TLS1_3_VERSION;
  }
  return false;
}

}  // namespace

TEST_CASE("server and client know each other by the authority, and nobody else") {
  const TempDir ours, others;
  const auto files = write_certificates(ours.path());
  const auto foreign = write_certificates(others.path());
  REQUIRE(files.has_value());
  REQUIRE(foreign.has_value());
  const Context server = context(files->ca, files->server, files->server_key);
  CHECK(shake_hands(server.get(), context(files->ca, files->client, files->client_key).get()));
  CHECK_FALSE(shake_hands(server.get(), context(files->ca, foreign->client, foreign->client_key).get()));
  CHECK_FALSE(shake_hands(server.get(), context(foreign->ca, files->client, files->client_key).get()));
}

TEST_CASE("keys are readable by their owner alone") {
  const TempDir directory;
  const auto files = write_certificates(directory.path());
  REQUIRE(files.has_value());
  using std::filesystem::perms;
  for (const auto& key : {files->server_key, files->client_key}) {
    CHECK(std::filesystem::status(key).permissions() == (perms::owner_read | perms::owner_write));
  }
}

TEST_CASE("a directory that cannot be written is an error that names the file") {
  const auto files = write_certificates("/nonexistent");
  REQUIRE_FALSE(files.has_value());
  CHECK_THAT(files.error().message, Contains("/nonexistent/ca.crt"));
}
