// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/web/api_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

TEST_CASE("health is open to all and tells why not") {
  ApiBench bench;
  CHECK(bench.ask(ApiBench::kNobody, "GET", "/healthz").status == 200);
  bench.backend.illness = "the store cannot be written: disk full";
  const auto answer = bench.ask(ApiBench::kNobody, "GET", "/healthz");
  CHECK(answer.status == 503);
  CHECK(detail_of(answer) == "the store cannot be written: disk full");
  CHECK(bench.backend.statuses == 0);
}

TEST_CASE("status and metrics") {
  ApiBench bench;
  CHECK(body_of(bench.get("/api/v1/status")).at("name") == "almaty-roof");
  CHECK(bench.get("/api/v1/status?verbose=1").status == 400);
  const auto metrics = bench.get("/metrics");
  CHECK(metrics.headers.find("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK_THAT(metrics.body, Contains("tulpar_http_requests_total 2\n"));
}

TEST_CASE("HEAD is a GET") {
  ApiBench bench;
  const auto head = bench.ask(ApiBench::kSocket, "HEAD", "/api/v1/status");
  CHECK(head.status == 200);
  CHECK(head.content().size() == bench.get("/api/v1/status").content().size());
  CHECK(bench.ask(ApiBench::kNobody, "HEAD", "/").status == 200);
  CHECK(bench.ask(ApiBench::kBrowser, "HEAD", "/api/v1/status").status == 200);
}

TEST_CASE("classes are paused and resumed") {
  ApiBench bench;
  CHECK(bench.post("/api/v1/classes/bulk/pause", "{}").status == 204);
  CHECK(bench.backend.paused == true);
  CHECK(bench.ask(ApiBench::kBrowser, "POST", "/api/v1/classes/bulk/resume").status == 204);
  CHECK(bench.backend.paused == false);
  CHECK(bench.post("/api/v1/classes/emergency/pause", "{}").status == 409);
  CHECK(bench.post("/api/v1/classes/nothing/pause", "{}").status == 404);
  CHECK(bench.post("/api/v1/classes/bulk/pause", R"({"until":"tomorrow"})").status == 400);
  CHECK(bench.post("/api/v1/classes/bulk/stop", "{}").status == 404);
}

TEST_CASE("the live feed is granted as an upgrade, and bound to its session") {
  ApiBench bench;
  const auto plain = bench.ask(ApiBench::kBrowser, "GET", "/api/v1/live");
  CHECK(plain.status == 426);
  CHECK(plain.headers.find("Upgrade") == "websocket");
  const auto live = [&](ApiBench::As who) {
    auto request = bench.request(who, "GET", "/api/v1/live");
    request.headers.add("Upgrade", "WebSocket");
    return bench.ask(request);
  };
  CHECK(live(ApiBench::kNobody).status == 401);
  CHECK(live(ApiBench::kBrowser).upgrade);
  CHECK(live(ApiBench::kBrowser).session == bench.session);
  CHECK(live(ApiBench::kSocket).upgrade);
  CHECK(live(ApiBench::kScript).session.empty());
}

TEST_CASE("the page is open to all, at its addresses only") {
  ApiBench bench;
  const auto page = bench.ask(ApiBench::kNobody, "GET", "/");
  CHECK(page.status == 200);
  CHECK(page.headers.find("Content-Type") == "text/html; charset=utf-8");
  CHECK(page.content() == bench.ask(ApiBench::kNobody, "GET", "/index.html").content());
  CHECK_FALSE(bench.api->admit(bench.request(ApiBench::kNobody, "GET", "/")).refusal);
  CHECK(bench.api->admit(bench.request(ApiBench::kNobody, "GET", "/")).max_body == 0);
}
