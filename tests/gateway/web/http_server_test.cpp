// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/http_server.hpp"

#include <sys/stat.h>

#include <boost/json.hpp>
#include <fstream>

#include "gateway/web/code_file.hpp"
#include "tests/gateway/web/server_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

std::string post_text(std::string_view target, std::string_view body, std::string_view more = {}) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("the page, a sign-in by password, the status: as a browser does it") {
  ServerBench bench;
  REQUIRE(bench.error == "");
  REQUIRE(set_password(bench.dir.text(), "winged horse").has_value());
  RawClient client(bench.port());
  const auto page = get(client, "/");
  CHECK(page.status == 200);
  CHECK_THAT(header_of(page.head, "Content-Security-Policy"), Contains("default-src 'none'"));
  CHECK(get(client, "/api/v1/session").status == 401);

  client.send(post_text("/api/v1/session", R"({"password":"wingless horse"})"));
  CHECK(take_answer(client).status == 401);
  client.send(post_text("/api/v1/session", R"({"password":"winged horse"})"));
  const auto signed_in = take_answer(client);
  CHECK(signed_in.status == 204);
  CHECK(header_of(signed_in.head, "Content-Length").empty());
  const auto cookie = header_of(signed_in.head, "Set-Cookie");
  const auto header = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";

  const auto session = boost::json::parse(get(client, "/api/v1/session", header).body).as_object();
  const std::string csrf(session.at("csrf").as_string());
  CHECK(boost::json::parse(get(client, "/api/v1/status", header).body).at("name") == "almaty-roof");
  client.send(post_text("/api/v1/classes/bulk/pause", "{}", header));
  const auto refused = take_answer(client);
  CHECK(refused.status == 403);
  // Its body was not read, so this connection can carry no further request.
  CHECK(header_of(refused.head, "Connection") == "close");
  RawClient again(bench.port());
  again.send(post_text("/api/v1/classes/bulk/pause", "{}", header + "X-Tulpar-Csrf: " + csrf + "\r\n"));
  CHECK(take_answer(again).status == 204);
  CHECK(bench.on_loop([&] { return bench.backend.paused; }) == true);
}

TEST_CASE("a code of the server's own signs in, and one that was left before its start") {
  ServerBench bench;
  const auto code = bench.on_loop([&] { return bench.server->make_code(); });
  RawClient client(bench.port());
  const auto sign_in = [&](const std::string& with) {
    client.send(post_text("/api/v1/session", R"({"code":")" + with + "\"}"));
    return take_answer(client).status;
  };
  CHECK(sign_in(code) == 204);
  CHECK(sign_in(code) == 401);
  const auto left = leave_code(bench.dir.text(), bench.clock).value();
  CHECK(sign_in(left) == 401);
  bench.on_loop([&] {
    bench.server.reset();
    const WebSettings settings{"a", bench.dir.text(), {.listen = "127.0.0.1:0", .tls = "off"}};
    boost::asio::any_io_executor here = bench.executor();
    bench.server = HttpServer::start(here, settings, bench.backend, bench.clock).value();
  });
  RawClient again(bench.port());
  again.send(post_text("/api/v1/session", R"({"code":")" + left + "\"}"));
  CHECK(take_answer(again).status == 204);
}

TEST_CASE("the token signs scripts in") {
  ServerBench bench;
  RawClient client(bench.port());
  CHECK(get(client, "/metrics", "Authorization: Bearer " + bench.token() + "\r\n").status == 200);
  CHECK(get(client, "/metrics", "Authorization: Bearer nonsense\r\n").status == 401);
  CHECK(get(client, "/healthz").status == 200);
}

TEST_CASE("the Unix socket asks nothing, and only its group may open it") {
  ServerBench bench;
  const auto path = bench.dir / "tulpar.sock";
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777u) == 0660);
  RawClient client(path);
  CHECK(get(client, "/api/v1/status").status == 200);
  client.send(post_text("/api/v1/messages", R"({"topic":"a/b","payload":"x"})"));
  CHECK(take_answer(client).status == 202);
  bench.on_loop([&] { bench.server.reset(); });
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a connection carries many requests, also when they come at once") {
  ServerBench bench;
  RawClient client(bench.dir / "tulpar.sock");
  std::string all;
  for (int i = 0; i < 20; ++i)
    all += i % 2 ? get_text("/healthz")
                 : post_text("/api/v1/messages", R"({"topic":"a","payload":")" + std::to_string(i) + "\"}");
  client.send(all);
  for (int i = 0; i < 20; ++i) CHECK(take_answer(client).status == (i % 2 ? 200 : 202));
  CHECK(bench.on_loop([&] { return std::string(as_text(bench.backend.sent->payload)); }) == "18");
  client.send(get_text("/healthz", "Connection: close\r\n"));
  const auto last = take_answer(client);
  CHECK(header_of(last.head, "Connection") == "close");
  CHECK(client.at_end());
}

TEST_CASE("the largest message passes, byte by byte the same") {
  ServerBench bench;
  RawClient client(bench.dir / "tulpar.sock");
  std::string payload(config::kMaxPayload, 'x');
  for (std::size_t i = 0; i < payload.size(); i += 997) payload[i] = static_cast<char>('a' + i % 26);
  client.send(post_text("/api/v1/messages", R"({"topic":"a","payload":")" + payload + "\"}",
                        "Expect: 100-continue\r\n"));
  CHECK(client.take_head() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(take_answer(client).status == 202);
  CHECK(bench.on_loop([&] { return as_text(bench.backend.sent->payload) == payload; }));
}

TEST_CASE("HEAD has a length and no body") {
  ServerBench bench;
  RawClient client(bench.dir / "tulpar.sock");
  client.send("HEAD /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = take_answer(client, false);
  CHECK(head.status == 200);
  CHECK(std::stoi(header_of(head.head, "Content-Length")) > 100);
  CHECK(get(client, "/healthz").body == R"({"ok":true})");
}

TEST_CASE("what is no HTTP is told so and let go") {
  ServerBench bench;
  for (const auto* text :
       {"\r\n\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET /\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "GET / HTTP/1.1\r\na: b\rc\r\n\r\n",
        "\x16\x03\x01 TLS where there is none\r\n\r\n"}) {
    INFO(text);
    RawClient client(bench.port());
    client.send(text);
    CHECK(take_answer(client).status == 400);
    CHECK(client.at_end());
  }
}

TEST_CASE("a stale socket is replaced, a living one is not, and another file neither") {
  const TempDir dir;
  const auto path = dir / "tulpar.sock";
  boost::asio::io_context loop;
  SteadyClock clock;
  FakeBackend backend;
  const WebSettings settings{"a", dir.text(), {.listen = "", .tls = "off"}};
  const auto start = [&] { return HttpServer::start(loop.get_executor(), settings, backend, clock); };
  {
    // What a killed process leaves: a bound socket that nobody listens on.
    const int left = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    close(left);
  }
  {
    const auto first = start();
    REQUIRE(first.has_value());
    CHECK((*first)->port() == 0);
    CHECK((*first)->url().empty());
    const auto second = start();
    REQUIRE_FALSE(second.has_value());
    CHECK_THAT(second.error().message, Contains("another tulpar runs"));
    CHECK(RawClient(path).send("x"));
  }
  std::ofstream(path) << "mine";
  const auto third = start();
  REQUIRE_FALSE(third.has_value());
  CHECK_THAT(third.error().message, Contains("no socket"));
}

TEST_CASE("what cannot be listened on is named") {
  ServerBench bench;
  const auto port = bench.port();
  ServerBench other({}, {.listen = "127.0.0.1:" + std::to_string(port), .tls = "off"});
  CHECK_THAT(other.error, Contains("127.0.0.1:" + std::to_string(port)) && Contains("in use"));
  ServerBench strange({}, {.listen = "192.0.2.1:0", .tls = "off"});
  CHECK_THAT(strange.error, Contains("192.0.2.1:0"));
  ServerBench uncertain(
      {}, {.listen = "127.0.0.1:0", .tls = "files", .cert = "/nowhere.pem", .key = "/nowhere.key"});
  CHECK_THAT(uncertain.error, Contains("/nowhere.pem"));
}

TEST_CASE("it ends while answers are due: connections close, nothing is answered by the dead") {
  class Slow : public FakeBackend {
   public:
    void messages(const queue::StoryFilter&, Done<std::vector<MessageView>> done) override {
      waiting = std::move(done);
      asked.set_value();
    }
    Done<std::vector<MessageView>> waiting;
    std::promise<void> asked;
  };
  ServerBench bench;
  Slow slow;
  const TempDir dir;
  std::unique_ptr<HttpServer> server;
  bench.on_loop([&] {
    server =
        HttpServer::start(bench.executor(), {"a", dir.text(), {.listen = "", .tls = "off"}}, slow, bench.clock)
            .value();
  });
  RawClient client(dir / "tulpar.sock"), idle(dir / "tulpar.sock");
  client.send(get_text("/api/v1/messages"));
  slow.asked.get_future().wait();
  bench.on_loop([&] { server.reset(); });
  CHECK(idle.at_end());
  CHECK(client.at_end());
  bench.on_loop([&] { slow.waiting(std::vector<MessageView>{}); });
}
