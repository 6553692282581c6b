// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/local_api.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <iterator>
#include <optional>

#include "gateway/demo/gateway_watch.hpp"
#include "gateway/demo/temp_dir.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

// Answers each connection with what `script` says to the request's first line; closes then.
class Server {
 public:
  using Script = std::function<std::string(const std::string& line)>;
  Server(asio::io_context& io, const std::string& path, Script script)
      : acceptor_(io, Local::endpoint(path)), script_(std::move(script)) {
    asio::co_spawn(io, serve(), asio::detached);
  }

 private:
  asio::awaitable<void> serve() {
    for (;;) {
      Local::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      asio::streambuf request;
      co_await asio::async_read_until(socket, request, "\r\n\r\n", asio::use_awaitable);
      std::istream in(&request);
      std::string line;
      std::getline(in, line, '\r');
      co_await asio::async_write(socket, asio::buffer(script_(line)), asio::use_awaitable);
    }
  }
  Local::acceptor acceptor_;
  Script script_;
};

Result<ApiAnswer> ask_now(asio::io_context& io, const std::string& socket) {
  std::optional<Result<ApiAnswer>> answer;
  asio::co_spawn(io, ask(socket, "GET", "/x"),
                 [&](std::exception_ptr, Result<ApiAnswer> got) { answer = got; });
  io.restart();
  while (!answer) io.run_one();
  return *answer;
}

constexpr const char* kStatus =
    R"({"name":"altai","ledger":{"accepted":20,"delivered":9,"expired":1,"conflated":5,"dropped":2,"queued":3}})";

}  // namespace

TEST_CASE("an answer is a status and a body") {
  const auto answer = parse_answer("HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n\r\nhello\r\n\r\n");
  REQUIRE(answer.has_value());
  CHECK(answer->status == 201);
  CHECK(answer->body == "hello\r\n\r\n");
}

TEST_CASE("what is no answer is an error") {
  for (const char* text : {"", "HTTP/1.1 ", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 OK 200\r\n\r\n",
                           "SSH-2.0\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_answer(text).has_value());
  }
}

TEST_CASE("the figures are the ledger's; without one of them there are none") {
  const auto figures = parse_figures(kStatus);
  REQUIRE(figures.has_value());
  CHECK(figures->conflated == 5);
  CHECK(figures->lost == 3);
  for (const char* text : {"", "[]", "{}", "{\"ledger\":3}", "{\"ledger\":{\"conflated\":5,\"expired\":0}}",
                           "{\"ledger\":{\"conflated\":-5,\"expired\":0,\"dropped\":0}}",
                           "{\"ledger\":{\"conflated\":\"5\",\"expired\":0,\"dropped\":0}}"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_figures(text).has_value());
  }
}

TEST_CASE("a one-time code is read, and nothing else taken for one") {
  CHECK(parse_code(R"({"code":"K7QX22M9","expires_s":900})").value() == "K7QX22M9");
  for (const char* text : {"", "[]", "{}", R"({"code":""})", R"({"code":7})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_code(text).has_value());
  }
}

TEST_CASE("asking a socket gives the answer, or why there is none") {
  const TempDir directory;
  const std::string socket = directory.path() / "tulpar.sock";
  asio::io_context io;
  CHECK_THAT(ask_now(io, socket).error().message, Contains(socket) && Contains("No such file"));

  std::string asked;
  const Server server(io, socket, [&](const std::string& line) {
    asked = line;
    return "HTTP/1.1 404 Not Found\r\n\r\n" + std::string(100'000, 'x');
  });
  const auto answer = ask_now(io, socket);
  REQUIRE(answer.has_value());
  CHECK(asked == "GET /x HTTP/1.1");
  CHECK(answer->status == 404);
  CHECK(answer->body.size() == 100'000);
}

TEST_CASE("an answer without end is given up") {
  const TempDir directory;
  asio::io_context io;
  const Server server(io, directory.path() / "tulpar.sock", [](const std::string&) {
    return "HTTP/1.1 200 OK\r\n\r\n" + std::string(2 * kMaxAnswer, 'x');
  });
  CHECK_THAT(ask_now(io, directory.path() / "tulpar.sock").error().message, Contains("more than"));
}

TEST_CASE("the watch learns the figures and a link that signs in") {
  const TempDir directory;
  const std::string socket = directory.path() / "tulpar.sock";
  asio::io_context io;
  const Server server(io, socket, [](const std::string& line) -> std::string {
    if (line == "GET /api/v1/status HTTP/1.1") return std::string("HTTP/1.1 200 OK\r\n\r\n") + kStatus;
    if (line == "POST /api/v1/codes HTTP/1.1") {
      return "HTTP/1.1 200 OK\r\n\r\n{\"code\":\"K7QX22M9\",\"expires_s\":900}";
    }
    return "HTTP/1.1 404 Not Found\r\n\r\n";
  });
  const GatewayWatch watch(io.get_executor(), socket, "http://127.0.0.1:8480/");
  CHECK(watch.page().empty());
  while (watch.page().empty() || watch.figures().conflated == 0) io.run_one();
  CHECK(watch.page() == "http://127.0.0.1:8480/#code=K7QX22M9");
  CHECK(watch.figures().lost == 3);
}

TEST_CASE("a gateway that gave no code is asked again") {
  const TempDir directory;
  const std::string socket = directory.path() / "tulpar.sock";
  asio::io_context io;
  int asked = 0;
  const Server server(io, socket, [&](const std::string& line) -> std::string {
    if (!line.starts_with("POST")) return "HTTP/1.1 404 Not Found\r\n\r\n{}";
    if (++asked == 1) return "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"code\":\"WRONG\"}";
    return "HTTP/1.1 200 OK\r\n\r\n{\"code\":\"K7QX22M9\"}";
  });
  const GatewayWatch watch(io.get_executor(), socket, "http://127.0.0.1:8480/");
  while (watch.page().empty()) io.run_one();
  CHECK(watch.page() == "http://127.0.0.1:8480/#code=K7QX22M9");
  CHECK(asked == 2);
}

TEST_CASE("a watch that has gone leaves nothing that would touch it") {
  const TempDir directory;
  asio::io_context io;
  { const GatewayWatch watch(io.get_executor(), directory.path() / "tulpar.sock", "http://x/"); }
  io.run();
  SUCCEED();
}
