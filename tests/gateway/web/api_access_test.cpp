// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/web/api_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

// A body that the route's handler understands, or at least refuses only for its content.
std::string body_for(const Api::Route& route) {
  if (route.max_body == 0) return {};
  return route.path == "/api/v1/messages" ? R"({"topic":"a/b","payload":"x"})" : "{}";
}

std::string target_of(const Api::Route& route) {
  std::string target(route.path);
  for (const auto& [name, value] : {std::pair("{id}", "42"), std::pair("{name}", "bulk")})
    if (const auto at = target.find(name); at != std::string::npos)
      target.replace(at, std::string(name).size(), value);
  return target;
}

Request of_route(const ApiBench& bench, ApiBench::As who, const Api::Route& route) {
  return bench.request(who, std::string(route.method), target_of(route), body_for(route));
}

Request without(const Request& request, std::string_view header) {
  Request out{
      .method = request.method, .target = request.target, .body = request.body, .caller = request.caller};
  for (const auto& [name, value] : request.headers)
    if (name != header) out.headers.add(name, value);
  return out;
}
Request with(const Request& request, std::string name, std::string value) {
  auto out = without(request, name);
  out.headers.add(std::move(name), std::move(value));
  return out;
}

bool changes(const Api::Route& route) { return route.method != "GET"; }
bool refused(const Response& response) { return response.status == 401 || response.status == 403; }

}  // namespace

TEST_CASE("nobody reaches what is not open, before and after the body is read") {
  for (const auto& route : Api::routes()) {
    ApiBench bench;
    INFO(route.method << ' ' << route.path);
    const auto request = of_route(bench, ApiBench::kNobody, route);
    const auto admission = bench.api->admit(request);
    const auto answer = bench.ask(request);
    CHECK_FALSE(admission.known);
    if (route.open) {
      CHECK_FALSE(admission.refusal);
      CHECK_FALSE(refused(answer));
    } else {
      REQUIRE(admission.refusal);
      CHECK(admission.refusal->status == 401);
      CHECK(answer.status == 401);
      CHECK(answer.headers.find("WWW-Authenticate") == "Bearer");
    }
  }
}

TEST_CASE("browser, script and Unix socket reach everything") {
  for (const auto who : {ApiBench::kBrowser, ApiBench::kScript, ApiBench::kSocket}) {
    for (const auto& route : Api::routes()) {
      ApiBench bench;
      INFO(who << ' ' << route.method << ' ' << route.path);
      const auto request = of_route(bench, who, route);
      CHECK_FALSE(bench.api->admit(request).refusal);
      CHECK(bench.api->admit(request).known);
      CHECK(bench.api->admit(request).max_body == route.max_body);
      CHECK_FALSE(refused(bench.ask(request)));
    }
  }
}

TEST_CASE("a session's token is a bearer token, too, and needs no CSRF value") {
  ApiBench bench;
  auto request = bench.request(ApiBench::kNobody, "POST", "/api/v1/classes/bulk/pause", "{}");
  request.headers.add("Authorization", "bearer " + bench.session);
  CHECK(bench.ask(request).status == 204);
}

TEST_CASE("a wrong token or cookie is nobody's") {
  ApiBench bench;
  const auto status = [&](const char* name, const std::string& value) {
    auto request = bench.request(ApiBench::kNobody, "GET", "/api/v1/status");
    request.headers.add(name, value);
    return bench.ask(request).status;
  };
  CHECK(status("Cookie", "tulpar_session=" + bench.session) == 200);
  CHECK(status("Cookie", "tulpar_session=" + bench.session.substr(1)) == 401);
  CHECK(status("Cookie", "tulpar_session=") == 401);
  CHECK(status("Cookie", "xtulpar_session=" + bench.session) == 401);
  CHECK(status("Cookie", "tulpar_session=" + bench.csrf) == 401);
  CHECK(status("Cookie", ";;=;tulpar_session") == 401);
  CHECK(status("Authorization", "Bearer " + std::string(64, 'b')) == 401);
  CHECK(status("Authorization", "Bearer ") == 401);
  CHECK(status("Authorization", "Basic " + kToken) == 401);
  CHECK(status("Authorization", "") == 401);
}

TEST_CASE("a wrong token does not fall back to a good cookie") {
  ApiBench bench;
  auto request = bench.request(ApiBench::kBrowser, "GET", "/api/v1/status");
  request.headers.add("Authorization", "Bearer nonsense");
  CHECK(bench.ask(request).status == 401);
}

TEST_CASE("with a cookie, a change needs the session's CSRF value") {
  for (const auto& route : Api::routes()) {
    if (!changes(route) || route.open) continue;
    ApiBench bench;
    INFO(route.method << ' ' << route.path);
    const auto good = of_route(bench, ApiBench::kBrowser, route);
    CHECK(bench.ask(without(good, "X-Tulpar-Csrf")).status == 403);
    CHECK(bench.ask(with(good, "X-Tulpar-Csrf", "")).status == 403);
    const auto other = bench.api->sign_in().begin_session(bench.clock.now()).csrf;
    CHECK(bench.ask(with(good, "X-Tulpar-Csrf", other)).status == 403);
    CHECK(bench.api->admit(without(good, "X-Tulpar-Csrf")).refusal->status == 403);
  }
}

TEST_CASE("pages of other origins change nothing and get no live feed") {
  for (const auto& route : Api::routes()) {
    const bool live = route.path == "/api/v1/live";
    if (!changes(route) && !live) continue;
    for (const auto* origin : {"https://evil.example", "null", "http://gateway.example.evil.example",
                               "http://gateway.example:81", "gateway.example", "http://", ""}) {
      ApiBench bench;
      INFO(route.method << ' ' << route.path << " from " << origin);
      auto request = with(of_route(bench, ApiBench::kBrowser, route), "Origin", origin);
      if (live) request.headers.add("Upgrade", "websocket");
      CHECK(bench.ask(request).status == 403);
      CHECK_FALSE(bench.backend.sent);
      CHECK_FALSE(bench.backend.paused);
    }
  }
}

TEST_CASE("a proxy in front may speak TLS: the origin's scheme does not matter, its case neither") {
  ApiBench bench;
  const auto good = bench.request(ApiBench::kBrowser, "POST", "/api/v1/classes/bulk/pause", "{}");
  CHECK(bench.ask(with(good, "Origin", "https://Gateway.Example")).status == 204);
  CHECK(bench.ask(without(good, "Origin")).status == 204);
}

TEST_CASE("reading from a foreign page is left to the browser's own rules") {
  ApiBench bench;
  const auto answer = bench.ask(
      with(bench.request(ApiBench::kBrowser, "GET", "/api/v1/status"), "Origin", "https://evil.example"));
  CHECK(answer.status == 200);
  CHECK_FALSE(answer.headers.find("Access-Control-Allow-Origin"));
  CHECK(answer.headers.find("Cross-Origin-Resource-Policy") == "same-origin");
}

TEST_CASE("an idle session ends") {
  ApiBench bench;
  bench.clock.time += SignIn::kIdle - Millis(1);
  CHECK(bench.ask(ApiBench::kBrowser, "GET", "/api/v1/status").status == 200);
  bench.clock.time += SignIn::kIdle;
  CHECK(bench.ask(ApiBench::kBrowser, "GET", "/api/v1/status").status == 401);
}

TEST_CASE("unknown addresses and methods") {
  ApiBench bench;
  for (const auto* target : {"/api/v1/nothing", "/api/v1", "/api/v1/messages/1/2", "/api/v2/status",
                             "/healthz/", "/api/v1/classes//", "/nothing.html", "/..%2f..%2fetc/passwd"}) {
    INFO(target);
    CHECK(bench.ask(ApiBench::kSocket, "GET", target).status == 404);
    CHECK(bench.ask(ApiBench::kNobody, "GET", target).status == 404);
  }
  const auto wrong = bench.ask(ApiBench::kNobody, "PUT", "/api/v1/messages");
  CHECK(wrong.status == 405);
  CHECK(wrong.headers.find("Allow") == "GET, HEAD, POST");
  CHECK(bench.ask(ApiBench::kNobody, "GET", "/api/v1/plan/reading").headers.find("Allow") == "POST");
  CHECK(bench.ask(ApiBench::kNobody, "POST", "/").headers.find("Allow") == "GET, HEAD");
  CHECK(bench.ask(ApiBench::kNobody, "BREW", "/api/v1/status").status == 405);
  CHECK(bench.ask(ApiBench::kSocket, "GET", "/api/v1/status?%zz").status == 400);
}

TEST_CASE("bodies: length, type, and none where none is expected") {
  ApiBench bench;
  const auto post = [&](const std::string& body) {
    return bench.request(ApiBench::kSocket, "POST", "/api/v1/classes/bulk/pause", body);
  };
  CHECK(bench.ask(post("{}")).status == 204);
  CHECK(bench.ask(post("")).status == 204);
  CHECK(bench.ask(post("{" + std::string(4096, ' ') + "}")).status == 413);
  CHECK(bench.ask(with(post("{}"), "Content-Length", "4097")).status == 413);
  CHECK(bench.ask(with(post("{}"), "Content-Length", "99999999999999999999999")).status == 413);
  CHECK(bench.ask(with(post("{}"), "Content-Length", "-1")).status == 400);
  CHECK(bench.ask(with(post("{}"), "Transfer-Encoding", "chunked")).status == 411);
  const auto script = bench.request(ApiBench::kScript, "POST", "/api/v1/classes/bulk/pause", "{}");
  CHECK(bench.ask(with(script, "Content-Type", "text/plain")).status == 415);
  CHECK(bench.ask(without(script, "Content-Type")).status == 415);
  CHECK(bench.ask(with(script, "Content-Type", "Application/JSON ; charset=utf-8")).status == 204);
  // No browser sends a form to a Unix socket.
  CHECK(bench.ask(without(post("{}"), "Content-Type")).status == 204);
  CHECK(bench.ask(ApiBench::kSocket, "GET", "/api/v1/status", "{}").status == 413);
  CHECK(bench.ask(ApiBench::kSocket, "DELETE", "/api/v1/messages/42", "{}").status == 413);
  CHECK(bench.api->counters().refused_input == 9);
}

TEST_CASE("every answer carries the security headers") {
  ApiBench bench;
  for (const auto& response :
       {bench.get("/api/v1/status"), bench.get("/nothing"), bench.ask(ApiBench::kNobody, "GET", "/"),
        bench.ask(ApiBench::kNobody, "GET", "/api/v1/status"), bench.get("/metrics")}) {
    const auto policy = response.headers.find("Content-Security-Policy").value_or("");
    CHECK_THAT(std::string(policy), Contains("default-src 'none'") && Contains("frame-ancestors 'none'"));
    CHECK(policy.find("unsafe") == std::string_view::npos);
    CHECK(response.headers.find("X-Content-Type-Options") == "nosniff");
    CHECK(response.headers.find("Referrer-Policy") == "no-referrer");
    CHECK(response.headers.find("Cache-Control"));
    CHECK(response.headers.find("Date") == "Wed, 18 Nov 2026 11:06:40 GMT");
  }
  CHECK(bench.get("/api/v1/status").headers.find("Cache-Control") == "no-store");
  bench.clock.is_trusted = false;
  CHECK_FALSE(bench.get("/api/v1/status").headers.find("Date"));
}
