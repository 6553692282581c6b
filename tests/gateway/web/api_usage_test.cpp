// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/web/api_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

class Metered : public FakeBackend {
 public:
  void reading(const Reading& said, Done<void> done) override {
    read = said;
    done(Outcome<void>());
  }
  void allow(const Allowance& said, Done<void> done) override {
    allowed = said;
    done(Failure{Failure::Kind::kNotFound, "there is no such link"});
  }
  std::optional<Reading> read;
  std::optional<Allowance> allowed;
};

}  // namespace

TEST_CASE("usage: what is asked without any parameter") {
  ApiBench bench;
  const auto now = bench.clock.wall_time.time_since_epoch() / std::chrono::seconds(1);
  bench.get("/api/v1/usage");
  CHECK(bench.backend.used->resolution == 3600);
  CHECK(bench.backend.used->by == "class");
  CHECK(bench.backend.used->to == now);
  CHECK(bench.backend.used->from == now - 7 * 86'400);
  bench.get("/api/v1/usage?resolution=month&by=link");
  CHECK(bench.backend.used->resolution == 0);
  CHECK(bench.backend.used->from == now - 366 * 86'400);
  bench.clock.wall_time = WallTime{};  // a router in 1970
  CHECK(bench.get("/api/v1/usage").status == 200);
}

TEST_CASE("usage: times as RFC 3339, day or seconds") {
  ApiBench bench;
  bench.backend.rows = {
      {.start = 1'795'000'200, .label = "bulk", .usage = {.messages = 2, .payload = 100, .wire_up = 90}}};
  const auto answer = body_of(
      bench.get("/api/v1/usage?resolution=5min&from=2026-11-18&to=2026-11-18T12:00:00%2B01:00&by=class"));
  CHECK(bench.backend.used->from == 1'794'960'000);
  CHECK(bench.backend.used->to == 1'794'999'600);
  CHECK(bench.backend.used->resolution == 300);
  const auto row = answer.at("rows").as_array().at(0).as_object();
  CHECK(row.at("class") == "bulk");
  CHECK(row.at("start") == "2026-11-18T11:10:00Z");
  CHECK(row.at("wire_up") == 90);
  CHECK(bench.get("/api/v1/usage?from=1&to=3600").status == 200);
}

TEST_CASE("usage: what is refused") {
  ApiBench bench;
  for (const auto* query :
       {"resolution=minute", "by=topic", "from=yesterday", "from=2026-13-01", "from=2026-11-19&to=2026-11-18",
        "from=5&to=5", "resolution=5min&from=0&to=2026-11-18", "from=-5", "group=class"}) {
    INFO(query);
    const auto answer = bench.get(std::string("/api/v1/usage?") + query);
    CHECK(answer.status == 400);
    CHECK_FALSE(detail_of(answer).empty());
  }
  CHECK_FALSE(bench.backend.used);
  bench.backend.failure = Failure{Failure::Kind::kUnavailable, "the store fails"};
  CHECK(bench.get("/api/v1/usage").status == 503);
}

TEST_CASE("the plan, where there is one and where there is none") {
  ApiBench bench;
  auto link = body_of(bench.get("/api/v1/plan")).at("links").as_array().at(0).as_object();
  CHECK(link.at("link") == "sat");
  CHECK(link.at("state") == "none");
  CHECK(link.at("used").is_null());
  bench.backend.current.links[0].plan = a_plan();
  link = body_of(bench.get("/api/v1/plan")).at("links").as_array().at(0).as_object();
  CHECK(link.at("state") == "yellow");
  CHECK(link.at("forecast") == 38'600'000);
}

TEST_CASE("what this version does not have is said plainly") {
  ApiBench bench;
  const auto answer = bench.post("/api/v1/plan/reading", R"({"link":"sat","wire_bytes":5})");
  CHECK(answer.status == 501);
  CHECK_THAT(detail_of(answer), Contains("not available in this version"));
  CHECK(bench.post("/api/v1/plan/allow", R"({"link":"sat","cost":5})").status == 501);
}

TEST_CASE("readings and allowances, where a program has them") {
  ManualClock clock;
  Metered backend;
  auto api = std::make_shared<Api>(
      backend, clock, [](auto&&, auto&&) {}, kToken);
  const auto post = [&](const std::string& target, const std::string& body) {
    Request request{.method = "POST", .target = target, .body = body, .caller = {.local = true}};
    request.headers.add("Content-Type", "application/json");
    int status = 0;
    api->handle(request, [&](const Response& response) { status = response.status; });
    return status;
  };
  const std::string reading = "/api/v1/plan/reading", allow = "/api/v1/plan/allow";
  CHECK(post(reading, R"({"link":"sat","wire_bytes":123,"at":"2026-11-18T00:00:00Z"})") == 204);
  CHECK(backend.read->wire_bytes == 123);
  CHECK(backend.read->at == WallTime(std::chrono::seconds(1'794'960'000)));
  CHECK(post(reading, R"({"link":"sat","cost":12.50})") == 204);
  CHECK(backend.read->cost == 12'500'000'000);
  CHECK(backend.read->at == clock.wall_time);
  CHECK(post(reading, R"({"link":"sat","cost":"0.000000001"})") == 204);
  CHECK(backend.read->cost == 1);
  CHECK(post(reading, R"({"link":"sat","cost":7})") == 204);
  CHECK(backend.read->cost == 7'000'000'000);
  for (const auto* body :
       {R"({"link":"sat"})", R"({"wire_bytes":1})", R"({"link":"sat","wire_bytes":1,"cost":1})",
        R"({"link":"sat","wire_bytes":-1})", R"({"link":"sat","wire_bytes":1.5})",
        R"({"link":"sat","cost":-1})", R"({"link":"sat","cost":"1e9"})", R"({"link":"sat","cost":1e99})",
        R"({"link":"sat","cost":null})", R"({"link":"sat","wire_bytes":1,"at":"soon"})"}) {
    INFO(body);
    CHECK(post(reading, body) == 400);
  }
  CHECK(post(allow, R"({"link":"x","bytes":1000,"until":"2026-12-01"})") == 404);
  CHECK(backend.allowed->bytes == 1000);
  CHECK(backend.allowed->until == WallTime(std::chrono::seconds(1'796'083'200)));
}
