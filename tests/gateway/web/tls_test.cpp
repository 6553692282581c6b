// SPDX-License-Identifier: Apache-2.0
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "gateway/web/certificate.hpp"
#include "tests/gateway/web/server_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

// The same as RawClient, through TLS.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int most = TLS1_3_VERSION) : raw_(port) {
    SSL_CTX_set_max_proto_version(context_.get(), most);
    SSL_CTX_set_security_level(context_.get(), 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), raw_.fd());
    connected = SSL_connect(ssl_.get()) == 1;
  }
  std::string fingerprint() const {
    const std::unique_ptr<X509, void (*)(X509*)> peer(SSL_get1_peer_certificate(ssl_.get()), X509_free);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!peer || X509_digest(peer.get(), EVP_sha256(), digest, &size) != 1) return {};
    std::string text;
    char byte[4];
    for (unsigned i = 0; i < size; ++i) {
      std::snprintf(byte, sizeof byte, "%s%02X", i ? ":" : "", digest[i]);
      text += byte;
    }
    return text;
  }
  bool send(std::string_view text) {
    return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0;
  }
  std::string take(std::size_t size) {
    while (read_.size() < size && read_more()) continue;
    auto taken = read_.substr(0, size);
    read_.erase(0, taken.size());
    return taken;
  }
  std::string take_head() {
    while (read_.find("\r\n\r\n") == std::string::npos)
      if (!read_more()) return {};
    return take(read_.find("\r\n\r\n") + 4);
  }
  // True iff it ended with a goodbye: nothing was cut off.
  bool ended_properly() {
    while (read_more()) continue;
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  bool connected = false;

 private:
  bool read_more() {
    char piece[16 * 1024];
    const int got = SSL_read(ssl_.get(), piece, sizeof piece);
    if (got > 0) read_.append(piece, static_cast<std::size_t>(got));
    return got > 0;
  }
  RawClient raw_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  std::string read_;
};

const config::Web kAuto{.listen = "127.0.0.1:0", .tls = "auto"};

}  // namespace

TEST_CASE("TLS with a certificate of its own, whose fingerprint is told") {
  ServerBench bench({}, kAuto);
  REQUIRE(bench.error == "");
  const auto fingerprint = bench.on_loop([&] { return bench.server->fingerprint(); });
  CHECK(fingerprint == own_certificate(bench.dir.text(), "x")->fingerprint);
  TlsClient client(bench.port());
  REQUIRE(client.connected);
  CHECK(client.fingerprint() == fingerprint);
  CHECK(get(client, "/healthz").status == 200);
  CHECK(get(client, "/api/v1/status", "Authorization: Bearer " + bench.token() + "\r\n").status == 200);
  client.send(get_text("/healthz", "Connection: close\r\n"));
  CHECK(take_answer(client).status == 200);
  CHECK(client.ended_properly());
}

TEST_CASE("TLS 1.2 is the oldest that is spoken") {
  ServerBench bench({}, kAuto);
  CHECK(TlsClient(bench.port(), TLS1_2_VERSION).connected);
  CHECK_FALSE(TlsClient(bench.port(), TLS1_1_VERSION).connected);
}

TEST_CASE("by TLS the cookie is for TLS only") {
  ServerBench bench({}, kAuto);
  const auto code = bench.on_loop([&] { return bench.server->make_code(); });
  const auto body = R"({"code":")" + code + "\"}";
  TlsClient client(bench.port());
  client.send("POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  CHECK_THAT(header_of(take_answer(client).head, "Set-Cookie"), Contains("; Secure"));
}

TEST_CASE("on the loopback plain HTTP is served beside it") {
  ServerBench bench({}, kAuto);
  RawClient client(bench.port());
  CHECK(get(client, "/healthz").status == 200);
  CHECK_THAT(bench.on_loop([&] { return bench.server->url(); }),
             StartsWith("http://127.0.0.1:") && EndsWith("/"));
}

TEST_CASE("elsewhere plain HTTP is sent to https, whatever it asks") {
  ServerBench bench({}, {.listen = "0.0.0.0:0", .tls = "auto"});
  RawClient client(bench.port());
  const auto moved = get(client, "/api/v1/status?x=1", "Authorization: Bearer " + bench.token() + "\r\n");
  CHECK(moved.status == 308);
  CHECK(header_of(moved.head, "Location") == "https://localhost/api/v1/status?x=1");
  CHECK(TlsClient(bench.port()).connected);
  CHECK_THAT(bench.on_loop([&] { return bench.server->url(); }), StartsWith("https://"));
  RawClient local(bench.dir / "tulpar.sock");
  CHECK(get(local, "/healthz").status == 200);
}

TEST_CASE("a broken handshake costs the others nothing") {
  ServerBench bench({}, kAuto);
  RawClient broken(bench.port());
  broken.send(std::string("\x16\x00\x00\x02\x00", 5) + std::string(512, 'x'));
  CHECK(broken.at_end());
  CHECK(TlsClient(bench.port()).connected);
}

TEST_CASE("a handshake that does not go on ends at the deadline") {
  WebLimits limits;
  limits.read = Millis(200);
  ServerBench bench(limits, kAuto);
  RawClient client(bench.port());
  client.send("\x16\x03\x01");
  CHECK(client.at_end());
}

TEST_CASE("a large answer through TLS arrives whole, and requests may come at once") {
  ServerBench bench({}, kAuto);
  bench.on_loop([&] { bench.backend.list.assign(2000, a_message(1)); });
  TlsClient client(bench.port());
  const auto token = "Authorization: Bearer " + bench.token() + "\r\n";
  client.send(get_text("/api/v1/messages", token) + get_text("/healthz"));
  const auto list = take_answer(client);
  CHECK(list.status == 200);
  CHECK(list.body.size() > 600'000);
  CHECK_THAT(list.body, EndsWith("}"));
  CHECK(take_answer(client).status == 200);
}

TEST_CASE("the live feed through TLS") {
  ServerBench bench({}, kAuto);
  TlsClient client(bench.port());
  const auto upgrade = get(client, "/api/v1/live",
                           "Authorization: Bearer " + bench.token() +
                               "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  CHECK(upgrade.status == 101);
  const auto head = client.take(4);
  CHECK(head.substr(0, 2) == "\x81\x7e");
  CHECK_THAT(client.take(static_cast<unsigned char>(head[2]) * 256u + static_cast<unsigned char>(head[3])),
             EndsWith("}"));
  // Its end is the server's, not a crash.
  bench.on_loop([&] { bench.server.reset(); });
  CHECK(client.take(1).size() <= 1);
}
