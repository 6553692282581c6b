// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/web/api_bench.hpp"

using namespace tulpar;
using namespace tulpar::web;
using queue::State;

TEST_CASE("the list of messages: filters, defaults, where to go on") {
  ApiBench bench;
  bench.backend.list = {a_message(9), a_message(8)};
  auto answer = body_of(bench.get("/api/v1/messages"));
  CHECK(bench.backend.asked->limit == 50);
  CHECK_FALSE(bench.backend.asked->state);
  CHECK(answer.at("messages").as_array().size() == 2);
  CHECK(answer.at("next").is_null());

  answer = body_of(bench.get("/api/v1/messages?state=queued&class=bulk&node=%21a&limit=2&after=77"));
  CHECK(bench.backend.asked->state == State::kQueued);
  CHECK(bench.backend.asked->cls == "bulk");
  CHECK(bench.backend.asked->node == "!a");
  CHECK(bench.backend.asked->limit == 2);
  CHECK(bench.backend.asked->after == 77);
  CHECK(answer.at("next") == 8);

  bench.get("/api/v1/messages?state=&class=&node=&limit=&after=");
  CHECK_FALSE(bench.backend.asked->state);
  CHECK(bench.backend.asked->cls.empty());
  CHECK(bench.backend.asked->limit == 50);
  bench.get("/api/v1/messages?state=in-flight");
  CHECK(bench.backend.asked->state == State::kInFlight);
}

TEST_CASE("a wrong filter is named, with what is allowed") {
  ApiBench bench;
  const auto said = [&](const std::string& query) {
    const auto answer = bench.get("/api/v1/messages?" + query);
    CHECK(answer.status == 400);
    return detail_of(answer);
  };
  CHECK(said("limit=0") == "`limit` must be a whole number from 1 to 1000");
  CHECK_THAT(said("limit=1001"), StartsWith("`limit`"));
  CHECK_THAT(said("limit=5x"), StartsWith("`limit`"));
  CHECK_THAT(said("limit=5&limit=6"), Contains("twice"));
  CHECK_THAT(said("after=-1"), StartsWith("`after`"));
  CHECK(said("state=gone") ==
        "`state` must be one of queued, in-flight, delivered, expired, conflated, dropped");
  CHECK(said("clas=bulk") == "\"clas\" is not known here; allowed are: state, class, node, limit, after");
  CHECK_THAT(said("node=" + std::string(256, 'x')), StartsWith("`node`"));
  CHECK_FALSE(bench.backend.asked);
}

TEST_CASE("a message is accepted, as text or as bytes") {
  ApiBench bench;
  const auto answer =
      bench.post("/api/v1/messages", R"({"topic":"mesh/a","payload":"Сәлем","class":"message"})");
  CHECK(answer.status == 202);
  CHECK(body_of(answer).at("id") == 43);
  CHECK(answer.headers.find("Location") == "/api/v1/messages/43");
  CHECK(bench.backend.sent->topic == "mesh/a");
  CHECK(bench.backend.sent->cls == "message");
  CHECK(as_text(bench.backend.sent->payload) == "Сәлем");

  CHECK(bench.post("/api/v1/messages", R"({"topic":"t","payload_base64":"AAH/"})").status == 202);
  CHECK(bench.backend.sent->payload == Bytes{0, 1, 255});
  CHECK(bench.backend.sent->cls.empty());
  CHECK(bench.post("/api/v1/messages", R"({"topic":"t","payload":""})").status == 202);
  CHECK(bench.backend.sent->payload.empty());
}

TEST_CASE("the largest payload fits, one byte more does not") {
  ApiBench bench;
  const auto text = [](std::size_t size) {
    return R"({"topic":"t","payload":")" + std::string(size, 'x') + "\"}";
  };
  CHECK(bench.post("/api/v1/messages", text(config::kMaxPayload)).status == 202);
  CHECK(bench.post("/api/v1/messages", text(config::kMaxPayload + 1)).status == 400);
  const auto base64 = [](std::size_t groups) {
    std::string body = R"({"topic":"t","payload_base64":")";
    for (std::size_t i = 0; i < groups; ++i) body += "AAAA";
    return body + "\"}";
  };
  CHECK(bench.post("/api/v1/messages", base64(config::kMaxPayload / 3)).status == 202);
  CHECK(bench.post("/api/v1/messages", base64(config::kMaxPayload / 3 + 1)).status == 400);
}

TEST_CASE("a message that cannot be meant is refused, with the field's name") {
  ApiBench bench;
  const auto said = [&](const std::string& body) {
    const auto answer = bench.post("/api/v1/messages", body);
    CHECK(answer.status == 400);
    return detail_of(answer);
  };
  CHECK(said(R"({"payload":"x"})") == "`topic` is needed");
  CHECK_THAT(said(R"({"topic":"","payload":"x"})"), StartsWith("`topic`"));
  CHECK_THAT(said(R"({"topic":7,"payload":"x"})"), StartsWith("`topic`"));
  for (const auto* topic : {"mesh/+/sos", "mesh/#", "a\\u0000b", "$SYS/a"})
    CHECK_THAT(said(R"({"payload":"x","topic":")" + std::string(topic) + "\"}"),
               StartsWith("`topic` must not"));
  CHECK_THAT(said(R"({"payload":"x","topic":")" + std::string(65'536, 'x') + "\"}"), StartsWith("`topic`"));
  CHECK_THAT(said(R"({"topic":"a"})"), Contains("`payload_base64` is needed"));
  CHECK_THAT(said(R"({"topic":"a","payload":"x","payload_base64":"AA=="})"), Contains("one of them"));
  for (const auto* base64 : {"A", "A===", "AB==", "A A=", "-_-_"})
    CHECK_THAT(said(R"({"topic":"a","payload_base64":")" + std::string(base64) + "\"}"),
               StartsWith("`payload_base64`"));
  CHECK(said(R"({"topic":"a","payload":"x","class":"sos"})") ==
        "`class` must be one of emergency, message, bulk");
  CHECK_THAT(said(R"({"topic":"a","payload":"x","qos":1})"), StartsWith("\"qos\" is not known here"));
  CHECK_THAT(said("{\"topic\":\"a\",\"payload\":\"\xff\"}"), StartsWith("`body`"));
  CHECK_THAT(said(std::string(100'000, '[')), StartsWith("`body`"));
  CHECK_THAT(said(R"({"topic":[[[[[[[[[]]]]]]]]]})"), StartsWith("`body`"));
  CHECK_THAT(said(R"({"topic":"a","payload":"x"} {})"), StartsWith("`body`"));
  CHECK_FALSE(bench.backend.sent);
}

TEST_CASE("a full or failing store is the server's fault, not the caller's") {
  ApiBench bench;
  bench.backend.failure = Failure{Failure::Kind::kUnavailable, "the disk is full"};
  const auto answer = bench.post("/api/v1/messages", R"({"topic":"t","payload":"x"})");
  CHECK(answer.status == 503);
  CHECK(detail_of(answer) == "the disk is full");
  CHECK(bench.get("/api/v1/messages").status == 503);
}

TEST_CASE("a message's story") {
  ApiBench bench;
  const auto story = body_of(bench.get("/api/v1/messages/42"));
  CHECK(story.at("id") == 42);
  CHECK(story.at("story").as_array()[0].at("event") == "accepted");
  for (const auto* id : {"1", "0", "-42", "x", "42x", "99999999999999999999", "%20", "4%32x"}) {
    INFO(id);
    CHECK(bench.get(std::string("/api/v1/messages/") + id).status == 404);
  }
}

TEST_CASE("a waiting message changes its class") {
  ApiBench bench;
  const auto patch = [&](const char* id, const char* body) {
    return bench.ask(ApiBench::kSocket, "PATCH", std::string("/api/v1/messages/") + id, body).status;
  };
  CHECK(patch("42", R"({"class":"bulk"})") == 204);
  CHECK(bench.backend.moved == std::pair(queue::MessageId{42}, std::string("bulk")));
  CHECK(patch("42", R"({"class":"none"})") == 400);
  CHECK(patch("42", R"({})") == 400);
  CHECK(patch("x", R"({"class":"bulk"})") == 404);
  bench.backend.failure = Failure{Failure::Kind::kConflict, "it is in flight"};
  CHECK(patch("42", R"({"class":"bulk"})") == 409);
}

TEST_CASE("a waiting message is dropped") {
  ApiBench bench;
  CHECK(bench.ask(ApiBench::kSocket, "DELETE", "/api/v1/messages/42").status == 204);
  CHECK(bench.backend.dropped == 42);
  bench.backend.failure = Failure{Failure::Kind::kNotFound, "there is no message 42"};
  CHECK(bench.ask(ApiBench::kSocket, "DELETE", "/api/v1/messages/42").status == 404);
  CHECK(bench.ask(ApiBench::kSocket, "DELETE", "/api/v1/messages/x").status == 404);
}
