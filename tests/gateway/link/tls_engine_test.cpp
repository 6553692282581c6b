// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/transport/tls_engine.hpp"

#include "gateway/link/frame.hpp"
#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

Enrolment enrolment(std::uint8_t secret = 7) {
  Enrolment made{.name = "roof", .address = "127.0.0.1:1", .key_id = "AbCdEfGh", .secret = {}};
  made.secret.fill(secret);
  return made;
}

struct Pair {
  std::unique_ptr<TlsEngine> client, server;
  std::string complaint;  // the first, of either side
  std::size_t crossed = 0;

  explicit Pair(const Enrolment& known = enrolment(), const Enrolment& offered = enrolment()) {
    client = TlsEngine::client(offered);
    server = TlsEngine::server(
        [known](std::string_view id) { return id == known.key_id ? std::optional(known) : std::nullopt; });
    note(client->start());
    note(server->start());
  }
  void note(const Result<void>& done) {
    if (!done && complaint.empty()) complaint = done.error().message;
  }
  // Carries what either side has to say, `piece` bytes at a time.
  void carry(std::size_t piece = 100'000) {
    for (bool more = true; more;) {
      more = false;
      for (auto [from, to] : {std::pair(client.get(), server.get()), std::pair(server.get(), client.get())}) {
        const Bytes bytes = from->take_output();
        crossed += bytes.size();
        more |= !bytes.empty();
        for (std::size_t at = 0; at < bytes.size(); at += piece)
          note(to->received(ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at))));
      }
    }
  }
};

Bytes text(std::size_t size) { return Bytes(size, 'x'); }

}  // namespace

TEST_CASE("tls engine: both sides know each other after one exchange, of little") {
  Pair pair;
  pair.carry();
  CHECK(pair.complaint.empty());
  CHECK(pair.client->established());
  CHECK(pair.server->established());
  CHECK(pair.server->peer() == "roof");
  CHECK(pair.crossed < 700);
}

TEST_CASE("tls engine: frames arrive as they were, however the network cuts them") {
  for (const std::size_t piece : {1u, 7u, 1400u}) {
    Pair pair;
    pair.carry(piece);
    REQUIRE(pair.server->established());
    for (const std::size_t size : {1u, 127u, 128u, 16'000u}) REQUIRE(pair.client->send(text(size)).has_value());
    pair.carry(piece);
    for (const std::size_t size : {1u, 127u, 128u, 16'000u}) {
      const auto frame = pair.server->next_frame();
      REQUIRE(frame.has_value());
      REQUIRE(frame->has_value());
      CHECK(**frame == text(size));
    }
    CHECK_FALSE(pair.server->next_frame()->has_value());
  }
}

TEST_CASE("tls engine: a record adds fourteen bytes and the frame's length") {
  Pair pair;
  pair.carry();
  pair.client->take_output();
  REQUIRE(pair.client->send(text(100)).has_value());
  CHECK(pair.client->take_output().size() == 100 + 14 + 1);
}

TEST_CASE("tls engine: another secret, or an unknown name, is refused by both") {
  for (const bool unknown : {false, true}) {
    auto offered = enrolment(8);
    if (unknown) offered.key_id = "ZZZZZZZZ";
    Pair pair(enrolment(), offered);
    pair.carry();
    CHECK_FALSE(pair.complaint.empty());
    CHECK_FALSE(pair.server->established());
  }
}

TEST_CASE("tls engine: what is no TLS is an error, and so is a changed byte") {
  auto server = TlsEngine::server([](std::string_view) { return std::optional(enrolment()); });
  const Bytes http = {'G', 'E', 'T', ' ', '/', ' ',  'H',  'T',  'T',
                      'P', '/', '1', '.', '1', '\r', '\n', '\r', '\n'};
  CHECK_FALSE(server->received(http).has_value());

  Pair pair;
  pair.carry();
  REQUIRE(pair.client->send(text(100)).has_value());
  Bytes record = pair.client->take_output();
  record[50] ^= 1;
  CHECK_FALSE(pair.server->received(record).has_value());
}

TEST_CASE("tls engine: a frame that claims to be larger than any is malformed") {
  Pair pair;
  pair.carry();
  // Sent whole it is a frame of its own size; what counts is the length that its inside claims.
  REQUIRE(pair.client->send(text(kMaxFrame + 1)).has_value());
  pair.carry();
  CHECK_FALSE(pair.server->next_frame().has_value());
}

}  // namespace tulpar::link
