// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "tests/gateway/web/server_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

// RFC 6455's own example of key and answer (1.3).
const std::string kUpgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

// A page's end of the feed.
class Page {
 public:
  template <class Where>
  explicit Page(const Where& where, const std::string& more = {}, int receive_buffer = 0)
      : client_(make(where, receive_buffer)), upgrade(get(client_, "/api/v1/live", kUpgrade + more)) {}

  // The next frame's opcode and content; -1 at the end of the connection.
  std::pair<int, std::string> frame() {
    const auto head = client_.take(2);
    if (head.size() < 2) return {-1, ""};
    CHECK((head[0] & 0x70) == 0);  // no extension
    CHECK((head[1] & 0x80) == 0);  // a server does not mask
    std::size_t size = head[1] & 0x7F;
    const auto more = client_.take(size == 126 ? 2 : size == 127 ? 8 : 0);
    if (!more.empty()) size = 0;
    for (const char c : more) size = size << 8 | static_cast<unsigned char>(c);
    return {head[0] & 0x8F, client_.take(size)};
  }
  // The next status, whatever pings come between.
  boost::json::object status() {
    auto [opcode, text] = frame();
    while (opcode == 0x89) std::tie(opcode, text) = frame();
    REQUIRE(opcode == 0x81);
    return boost::json::parse(text).as_object();
  }
  // A masked frame, with a mask of zeros.
  bool send(int opcode, const std::string& content) {
    std::string text{static_cast<char>(0x80 | opcode)};
    if (content.size() < 126)
      text += static_cast<char>(0x80 | content.size());
    else
      (text += static_cast<char>(0xFE)) +=
          {static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
    return client_.send(text + std::string(4, '\0') + content);
  }
  bool at_end() { return client_.at_end(); }
  const RawClient& client() const { return client_; }

 private:
  static RawClient make(std::uint16_t port, int receive_buffer) { return RawClient(port, receive_buffer); }
  static RawClient make(const std::filesystem::path& path, int) { return RawClient(path); }
  RawClient client_;

 public:
  Answer upgrade;
};

void change(ServerBench& bench, const std::string& verdict) {
  bench.on_loop([&] {
    bench.backend.current.verdict = verdict;
    bench.server->status_changed();
  });
}

// A browser's session, by a code.
std::string cookie(ServerBench& bench) {
  const auto code = bench.on_loop([&] { return bench.server->make_code(); });
  const auto body = R"({"code":")" + code + "\"}";
  RawClient client(bench.port());
  client.send(
      "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto set = header_of(take_answer(client).head, "Set-Cookie");
  return "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
}

}  // namespace

TEST_CASE("the feed opens with the status and brings each change") {
  ServerBench bench;
  Page page(bench.dir / "tulpar.sock");
  CHECK(page.upgrade.status == 101);
  CHECK(header_of(page.upgrade.head, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(header_of(page.upgrade.head, "Sec-WebSocket-Extensions").empty());
  CHECK(page.status().at("name") == "almaty-roof");
  change(bench, "The link is down.");
  CHECK(page.status().at("verdict").at("text") == "The link is down.");
}

TEST_CASE("many changes are pushed as few") {
  ServerBench bench;
  Page page(bench.dir / "tulpar.sock");
  page.status();
  const int before = bench.on_loop([&] { return bench.backend.statuses; });
  for (int i = 0; i < 200; ++i) change(bench, std::to_string(i));
  std::string last;
  while (last != "199") last = std::string(page.status().at("verdict").at("text").as_string());
  // Two a second; the changes themselves may take a while on a busy machine.
  CHECK(bench.on_loop([&] { return bench.backend.statuses; }) - before < 100);
}

TEST_CASE("nobody looks: a change costs nothing") {
  ServerBench bench;
  change(bench, "nobody hears this");
  CHECK(bench.on_loop([&] { return bench.backend.statuses; }) == 0);
}

TEST_CASE("a browser opens it with its cookie, other pages do not, nor do nobodies") {
  ServerBench bench;
  const auto mine = cookie(bench);
  Page page(bench.port(), mine + "Origin: http://localhost\r\n");
  CHECK(page.upgrade.status == 101);
  CHECK(page.status().at("name") == "almaty-roof");
  CHECK(Page(bench.port(), mine + "Origin: https://evil.example\r\n").upgrade.status == 403);
  CHECK(Page(bench.port(), "Origin: http://localhost\r\n").upgrade.status == 401);
  CHECK(Page(bench.port(), "Authorization: Bearer " + bench.token() + "\r\n").upgrade.status == 101);
}

TEST_CASE("signing out ends the feed of that session, and of no other") {
  ServerBench bench;
  const auto mine = cookie(bench), other = cookie(bench);
  Page page(bench.port(), mine), stays(bench.port(), other);
  page.status();
  stays.status();
  RawClient client(bench.port());
  const auto session = get(client, "/api/v1/session", mine).body;
  const std::string csrf(boost::json::parse(session).at("csrf").as_string());
  client.send("DELETE /api/v1/session HTTP/1.1\r\nHost: a\r\n" + mine + "X-Tulpar-Csrf: " + csrf + "\r\n\r\n");
  CHECK(take_answer(client).status == 204);
  auto [opcode, content] = page.frame();
  while (opcode == 0x81) std::tie(opcode, content) = page.frame();
  CHECK(opcode == 0x88);
  CHECK(content.substr(0, 2) == "\x03\xF0");  // 1008, policy violation
  page.send(8, content);
  CHECK(page.at_end());
  change(bench, "still here");
  CHECK(stays.status().at("verdict").at("text") == "still here");
}

TEST_CASE("a page that says goodbye is let go") {
  ServerBench bench;
  Page page(bench.dir / "tulpar.sock");
  page.status();
  page.send(8, "\x03\xE8");
  auto [opcode, content] = page.frame();
  CHECK(opcode == 0x88);
  CHECK(page.at_end());
}

TEST_CASE("what a page sends is read and left alone; too much of it ends the feed") {
  ServerBench bench;
  Page page(bench.dir / "tulpar.sock");
  page.status();
  CHECK(page.send(1, "hello"));
  CHECK(page.send(2, std::string(1000, 'x')));
  change(bench, "unimpressed");
  CHECK(page.status().at("verdict").at("text") == "unimpressed");
  page.send(1, std::string(2000, 'x'));
  page.send(1, "more");
  CHECK(page.at_end());
}

TEST_CASE("broken frames end the feed") {
  WebLimits limits;
  // A page that sends what is no frame is waited for no longer than one that is silent.
  limits.stall = Millis(3000);
  ServerBench bench(limits);
  for (const std::string& bytes :
       {std::string("\x81\x01x", 3), std::string("\xF1\x80\0\0\0\0", 6), std::string("\x83\x80\0\0\0\0", 6),
        std::string("\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10)}) {
    Page page(bench.dir / "tulpar.sock");
    page.status();
    page.client().send(bytes);
    CHECK(page.at_end());
  }
}

TEST_CASE("an upgrade that is none is refused") {
  ServerBench bench;
  const auto path = bench.dir / "tulpar.sock";
  RawClient without(path);
  CHECK(get(without, "/api/v1/live").status == 426);
  RawClient incomplete(path);
  CHECK(get(incomplete, "/api/v1/live", "Upgrade: websocket\r\nConnection: Upgrade\r\n").status == 400);
  RawClient elsewhere(path);
  CHECK(get(elsewhere, "/api/v1/status", kUpgrade).status == 200);
}

TEST_CASE("a page that answers no ping is let go") {
  WebLimits limits;
  limits.stall = Millis(300);
  ServerBench bench(limits);
  Page page(bench.dir / "tulpar.sock");
  page.status();
  CHECK(page.client().is_closed_within(kPatienceS * 1000));
}

TEST_CASE("a page that takes nothing is let go, though it talks, and the others do not notice") {
  WebLimits limits;
  limits.stall = Millis(700);
  ServerBench bench(limits);
  bench.on_loop([&] { bench.backend.current.verdict = std::string(8'000'000, 'x'); });
  Page deaf(bench.dir / "tulpar.sock");
  REQUIRE(deaf.upgrade.status == 101);
  // It pongs, so that it does not look dead, and changes go on, each too large for the kernel's buffers.
  int pongs = 0;
  while (pongs < 1000 && !deaf.client().is_closed_within(50)) {
    deaf.send(0xA, "");
    bench.on_loop([&] { bench.server->status_changed(); });
    ++pongs;
  }
  CHECK(pongs < 1000);
  RawClient other(bench.dir / "tulpar.sock");
  CHECK(get(other, "/healthz").status == 200);
}

TEST_CASE("the server's end ends the feeds") {
  ServerBench bench;
  Page page(bench.dir / "tulpar.sock");
  page.status();
  bench.on_loop([&] { bench.server.reset(); });
  CHECK(page.at_end());
}
