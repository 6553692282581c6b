// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/client.hpp"

#include <sys/stat.h>

#include "tests/gateway/web/server_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

// Answers one connection with these bytes, whatever was asked.
class Impostor {
 public:
  Impostor(const TempDir& dir, std::string answer) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = dir / "tulpar.sock";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd_, 1) != 0)
      throw std::runtime_error(std::strerror(errno));
    thread_ = std::thread([this, text = std::move(answer)] {
      const int peer = accept(fd_, nullptr, nullptr);
      char ignored[4096];
      if (recv(peer, ignored, sizeof ignored, 0) > 0) ::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
      close(peer);
    });
  }
  ~Impostor() {
    thread_.join();
    close(fd_);
  }

 private:
  int fd_;
  std::thread thread_;
};

std::string told(const std::string& answer) {
  const TempDir dir;
  const Impostor impostor(dir, answer);
  const auto got = Client(dir.text()).get("/healthz");
  return got ? std::to_string(got->status) + " " + got->body : got.error().message;
}

}  // namespace

TEST_CASE("the client asks and hears") {
  ServerBench bench;
  const Client client(bench.dir.text());
  const auto status = client.get("/api/v1/status");
  REQUIRE(status.has_value());
  CHECK(status->status == 200);
  CHECK_THAT(status->body, Contains("almaty-roof"));
  const auto sent = client.post("/api/v1/messages", R"({"topic":"a","payload":"x"})");
  CHECK(sent->status == 202);
  CHECK(client.ask("DELETE", "/api/v1/messages/42", "")->status == 204);
  CHECK(client.post("/api/v1/classes/bulk/pause", "")->status == 204);
}

TEST_CASE("a refusal is an answer, with words") {
  ServerBench bench;
  const Client client(bench.dir.text());
  const auto refused = client.post("/api/v1/messages", R"({"topic":"a/#","payload":"x"})");
  CHECK(refused->status == 400);
  CHECK(problem_text(*refused) == "`topic` must not hold +, # or a NUL");
  const auto large = client.post("/api/v1/messages", std::string(3'000'000, ' '));
  REQUIRE(large.has_value());
  CHECK(large->status == 413);
  CHECK(problem_text({502, "<html>"}) == "502 Unknown");
  CHECK(problem_text({404, R"({"detail":5})"}) == "404 Not Found");
}

TEST_CASE("large answers arrive whole") {
  ServerBench bench;
  bench.on_loop([&] { bench.backend.list.assign(1000, a_message(1)); });
  const auto list = Client(bench.dir.text()).get("/api/v1/messages?limit=1000");
  CHECK(list->status == 200);
  CHECK(list->body.size() > 300'000);
  CHECK_THAT(list->body, EndsWith("}"));
}

TEST_CASE("nobody serves: said in words") {
  const TempDir dir;
  const auto none = Client(dir.text()).get("/healthz");
  REQUIRE_FALSE(none.has_value());
  CHECK_THAT(none.error().message, Contains("is tulpar running"));
  const auto deep = Client(dir.text() + "/" + std::string(200, 'x')).get("/healthz");
  REQUIRE_FALSE(deep.has_value());
  CHECK_THAT(deep.error().message, Contains("too long"));
}

TEST_CASE("an answer that is none is an error") {
  CHECK(told("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab") == "200 ab");
  CHECK(told("HTTP/1.1 204 No Content\r\n\r\n") == "204 ");
  for (const auto* text :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "SSH-2.0-x\r\n\r\n"}) {
    INFO(text);
    CHECK_THAT(told(text), Contains("cut short"));
  }
}

TEST_CASE("who says nothing is not waited for for ever") {
  const TempDir dir;
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = dir / "tulpar.sock";
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(fd, 1) == 0);
  const auto late = Client(dir.text(), Millis(50)).get("/healthz");
  REQUIRE_FALSE(late.has_value());
  CHECK_THAT(late.error().message, Contains("no answer in time"));
  close(fd);
}
