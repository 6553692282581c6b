// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/openapi.hpp"

#include <set>

#include "tests/gateway/web/api_bench.hpp"
#include "tests/gateway/web/schema.hpp"

using namespace tulpar;
using namespace tulpar::web;
namespace json = boost::json;

namespace {

const json::object& document() {
  static const json::object parsed = json::parse(openapi_json()).as_object();
  return parsed;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(c));
  return out;
}

const json::object& operation(const std::string& path, const std::string& method) {
  return document().at("paths").at(path).at(method).as_object();
}

json::object response_schema(const std::string& path, const std::string& method, const std::string& status) {
  const auto& response = resolved(operation(path, method).at("responses").at(status).as_object(), document());
  const auto& content = response.at("content").as_object();
  return content.begin()->value().at("schema").as_object();
}

void check_answer(const Response& answer, const std::string& path, const std::string& method,
                  int status = 200) {
  INFO(method << ' ' << path << ": " << answer.content());
  REQUIRE(answer.status == status);
  const auto schema = response_schema(path, method, std::to_string(status));
  CHECK(mismatches(json::parse(answer.content()), schema, document()) == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("what is served is described, and what is described is served") {
  std::set<std::pair<std::string, std::string>> served, described;
  for (const auto& route : Api::routes()) served.emplace(route.path, lower(route.method));
  for (const auto& path : document().at("paths").as_object())
    for (const auto& item : path.value().as_object())
      if (item.key() != "parameters") described.emplace(path.key(), item.key());
  CHECK(served == described);
}

TEST_CASE("which calls are open stands there, too") {
  for (const auto& route : Api::routes()) {
    INFO(route.method << ' ' << route.path);
    const auto& described = operation(std::string(route.path), lower(route.method));
    CHECK(described.contains("security") == route.open);
    CHECK(described.at("responses").as_object().contains("401") == (route.path != "/healthz"));
    CHECK((route.max_body > 0 || !described.contains("requestBody")));
  }
}

TEST_CASE("the answers are as described") {
  ApiBench bench;
  bench.backend.list = {a_message(9), a_message(8, queue::State::kDelivered)};
  bench.backend.list[1].story.finished_wall = 1'795'000'001'000;
  bench.backend.list[1].price = 1'000'000;
  bench.backend.rows = {{.start = 1'795'000'200, .label = "bulk", .usage = {.messages = 2}}};
  const auto check = [&](const std::string& path) { check_answer(bench.get(path), path, "get"); };
  check("/healthz");
  check("/api/v1/openapi.json");
  check("/api/v1/session");
  check("/api/v1/status");
  check("/api/v1/messages");
  check("/api/v1/usage");
  check("/api/v1/plan");
  check_answer(bench.get("/api/v1/messages/42"), "/api/v1/messages/{id}", "get");
  check_answer(bench.post("/api/v1/codes", "{}"), "/api/v1/codes", "post");
  check_answer(bench.post("/api/v1/messages", R"({"topic":"t","payload":"x"})"), "/api/v1/messages", "post",
               202);
  bench.backend.current.links[0].plan = a_plan();
  check("/api/v1/status");
  check("/api/v1/plan");
  bench.backend.current = Status{};
  check("/api/v1/status");
}

TEST_CASE("problems are as described, and the statuses that occur are named") {
  ApiBench bench;
  check_answer(bench.ask(ApiBench::kNobody, "GET", "/api/v1/status"), "/api/v1/status", "get", 401);
  check_answer(bench.get("/api/v1/messages/7"), "/api/v1/messages/{id}", "get", 404);
  check_answer(bench.get("/api/v1/usage?by=x"), "/api/v1/usage", "get", 400);
  check_answer(bench.ask(ApiBench::kSocket, "GET", "/api/v1/live"), "/api/v1/live", "get", 426);
  check_answer(bench.post("/api/v1/classes/emergency/pause", "{}"), "/api/v1/classes/{name}/pause", "post",
               409);
  check_answer(bench.post("/api/v1/plan/allow", R"({"link":"sat","bytes":1})"), "/api/v1/plan/allow", "post",
               501);
  bench.backend.illness = "ill";
  check_answer(bench.get("/healthz"), "/healthz", "get", 503);
}

TEST_CASE("the fields that a body may have are those that are read") {
  ApiBench bench;
  for (const auto& route : Api::routes()) {
    const auto path = std::string(route.path);
    const auto& described = operation(path, lower(route.method));
    if (!described.contains("requestBody")) continue;
    INFO(route.method << ' ' << path);
    const auto& schema =
        described.at("requestBody").at("content").at("application/json").at("schema").as_object();
    std::string target = path;
    if (const auto at = target.find("{id}"); at != std::string::npos) target.replace(at, 4, "42");
    for (const auto& property : schema.at("properties").as_object()) {
      const std::string name(property.key());
      const auto body = R"({")" + name + R"(":[]})";
      const auto complaint = detail_of(bench.ask(ApiBench::kSocket, std::string(route.method), target, body));
      CHECK_THAT(complaint, !Contains("is not known here"));
    }
  }
}

TEST_CASE("the checker itself finds what is wrong") {
  const auto schema =
      json::parse(R"({"type":"object","required":["a"],"properties":{"a":{"type":["integer","null"]},
                                      "b":{"type":"array","items":{"enum":["x"]}}}})")
          .as_object();
  const auto wrong = [&](const char* text) { return mismatches(json::parse(text), schema, document()).size(); };
  CHECK(wrong(R"({"a":1,"b":["x"]})") == 0);
  CHECK(wrong(R"({"a":null})") == 0);
  CHECK(wrong(R"({"a":"1"})") == 1);
  CHECK(wrong(R"({"b":["y"]})") == 2);
  CHECK(wrong(R"({"a":1,"c":1})") == 1);
  CHECK(wrong("[]") == 1);
}
