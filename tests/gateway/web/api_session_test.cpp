// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/web/api_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

Response sign_in(ApiBench& bench, const std::string& body, const std::string& address = "192.0.2.1",
                 bool tls = false) {
  auto request = bench.request(ApiBench::kNobody, "POST", "/api/v1/session", body);
  request.caller = Caller{.tls = tls, .address = address};
  return bench.ask(request);
}
const std::string kRight = R"({"password":"winged horse"})";
const std::string kWrong = R"({"password":"wingless horse"})";

}  // namespace

TEST_CASE("the right password gives a cookie that signs in") {
  ApiBench bench;
  const auto answer = sign_in(bench, kRight);
  CHECK(answer.status == 204);
  const std::string cookie(answer.headers.find("Set-Cookie").value());
  CHECK_THAT(cookie, Contains("; HttpOnly") && Contains("; SameSite=Strict") && Contains("; Path=/"));
  CHECK_THAT(cookie, !Contains("Secure"));
  CHECK_THAT(std::string(sign_in(bench, kRight, "a", true).headers.find("Set-Cookie").value()),
             Contains("; Secure"));

  auto request = bench.request(ApiBench::kNobody, "GET", "/api/v1/session");
  request.headers.add("Cookie", cookie.substr(0, cookie.find(';')));
  const auto session = body_of(bench.ask(request));
  CHECK(session.at("user") == "operator");
  CHECK(session.at("role") == "operator");
  CHECK(session.at("csrf").as_string().size() == 32);
}

TEST_CASE("who asks by token or socket is told so") {
  ApiBench bench;
  CHECK(body_of(bench.ask(ApiBench::kScript, "GET", "/api/v1/session")).at("user") == "token");
  CHECK(body_of(bench.ask(ApiBench::kSocket, "GET", "/api/v1/session")).at("user") == "local");
  CHECK(body_of(bench.ask(ApiBench::kSocket, "GET", "/api/v1/session")).at("csrf") == "");
}

TEST_CASE("wrong credentials are counted and refused alike") {
  ApiBench bench;
  CHECK(detail_of(sign_in(bench, kWrong)) == detail_of(sign_in(bench, R"({"code":"ABCDEFGH"})")));
  CHECK(bench.api->counters().refused_sign_in == 2);
}

TEST_CASE("malformed sign-ins cost no try and no hash") {
  ApiBench bench;
  for (const auto* body :
       {R"({})", R"({"password":1})", R"({"password":"a","code":"b"})", R"({"user":"x","password":"y"})", "[]",
        "{", "\"winged horse\"", R"({"code":null})"}) {
    INFO(body);
    CHECK(sign_in(bench, body).status == 400);
  }
  CHECK(sign_in(bench, R"({"password":")" + std::string(1025, 'x') + "\"}").status == 400);
  CHECK(bench.passwords_checked == 0);
  CHECK(sign_in(bench, kRight).status == 204);
}

TEST_CASE("after five tries one has to wait, and is told how long") {
  ApiBench bench;
  for (int i = 0; i < TryLimit::kAddressTries; ++i) CHECK(sign_in(bench, kWrong).status == 401);
  const auto answer = sign_in(bench, kRight);
  CHECK(answer.status == 429);
  CHECK(answer.headers.find("Retry-After") == "30");
  CHECK(bench.passwords_checked == TryLimit::kAddressTries);
  CHECK(sign_in(bench, kRight, "192.0.2.2").status == 204);
  bench.clock.time += TryLimit::kAddressRefill;
  CHECK(sign_in(bench, kRight).status == 204);
}

TEST_CASE("a program that ends does not answer for a password that is still being hashed") {
  ManualClock clock;
  FakeBackend backend;
  std::function<void(Result<bool>)> hashed;
  auto api = std::make_shared<Api>(
      backend, clock,
      [&](const std::string&, std::function<void(Result<bool>)> done) { hashed = std::move(done); }, kToken);
  Request request{.method = "POST", .target = "/api/v1/session", .body = kRight};
  request.headers.add("Content-Type", "application/json");
  bool answered = false;
  api->handle(request, [&](const Response&) { answered = true; });
  REQUIRE(hashed);
  api.reset();
  hashed(true);
  CHECK_FALSE(answered);
}

TEST_CASE("no password is set: said, with what to do") {
  ManualClock clock;
  FakeBackend backend;
  auto api = std::make_shared<Api>(
      backend, clock,
      [](const std::string&, const std::function<void(Result<bool>)>& done) { done(Error{"none is set"}); },
      kToken);
  Request request{.method = "POST", .target = "/api/v1/session", .body = kRight};
  request.headers.add("Content-Type", "application/json");
  api->handle(request, [&](const Response& response) {
    CHECK(response.status == 503);
    CHECK(detail_of(response) == "none is set");
  });
}

TEST_CASE("a one-time code signs in once") {
  ApiBench bench;
  const auto made = body_of(bench.post("/api/v1/codes", "{}"));
  CHECK(made.at("expires_s") == 900);
  const auto body = R"({"code":")" + std::string(made.at("code").as_string()) + "\"}";
  CHECK(sign_in(bench, body).status == 204);
  CHECK(sign_in(bench, body).status == 401);
}

TEST_CASE("signing out ends the session, here and on the live feed") {
  ApiBench bench;
  int told = 0;
  bench.api->sessions_ended = [&] { ++told; };
  CHECK(bench.api->may_watch(bench.session));
  const auto answer = bench.ask(ApiBench::kBrowser, "DELETE", "/api/v1/session");
  CHECK(answer.status == 204);
  CHECK_THAT(std::string(answer.headers.find("Set-Cookie").value()),
             Contains("tulpar_session=;") && Contains("Max-Age=0"));
  CHECK(told == 1);
  CHECK_FALSE(bench.api->may_watch(bench.session));
  CHECK(bench.api->may_watch(""));
  CHECK(bench.ask(ApiBench::kBrowser, "GET", "/api/v1/status").status == 401);
}

TEST_CASE("everybody can be signed out at once") {
  ApiBench bench;
  int told = 0;
  bench.api->sessions_ended = [&] { ++told; };
  CHECK(bench.ask(ApiBench::kSocket, "DELETE", "/api/v1/sessions").status == 204);
  CHECK(told == 1);
  CHECK(bench.ask(ApiBench::kBrowser, "GET", "/api/v1/status").status == 401);
}
