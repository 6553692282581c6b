// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/status_json.hpp"

#include <boost/json.hpp>

#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;
namespace json = boost::json;

TEST_CASE("the status holds what the contract names") {
  const auto status = json::parse(status_json(a_status())).as_object();
  CHECK(status.at("name") == "almaty-roof");
  CHECK(status.at("version") == TULPAR_VERSION);
  CHECK(status.at("uptime_s") == 90);
  CHECK(status.at("clock").at("trusted") == true);
  CHECK(status.at("verdict").at("text") == "Everything works.");
  CHECK(status.at("mesh").at("connected") == true);
  CHECK(status.at("mesh").at("durable") == false);
  CHECK(json::serialize(status.at("ledger")) ==
        R"({"accepted":10,"delivered":4,"expired":1,"conflated":1,"dropped":1,"queued":3,"duplicates":2})");
  CHECK(status.at("back").at("delivered") == 5);
  CHECK(status.at("store").at("written_today") == 4096);
  CHECK(status.at("store").at("note").is_null());

  const auto& cls = status.at("classes").at(0);
  CHECK(cls.at("name") == "emergency");
  CHECK(cls.at("queued") == 1);
  CHECK(cls.at("oldest_s") == 2.5);
  CHECK(cls.at("hold_reason").is_null());
  CHECK(status.at("classes").at(1).at("paused") == true);
  CHECK(status.at("classes").at(1).at("oldest_s").is_null());
  CHECK(status.at("classes").at(1).at("hold_reason") == "paused");

  const auto& link = status.at("links").at(0);
  CHECK(link.at("state") == "up");
  CHECK(link.at("rtt_ms") == 640);
  CHECK(link.at("wire_up") == 90);
  CHECK(link.at("inflight_bytes") == 33);
  CHECK(link.at("up_since_s") == 5);
  CHECK(link.at("last_contact_s").is_null());
  CHECK(link.at("plan").is_null());
  CHECK(status.at("last_delivered_s") == 4.2);
  CHECK(status.at("sinks").at(0).at("lag") == 3);
  CHECK(status.at("gateways").at(0).at("last_contact_s") == 0.1);
}

TEST_CASE("a plan in the status") {
  auto status = a_status();
  status.links[0].plan = a_plan();
  const auto plan = json::parse(status_json(status)).at("links").at(0).at("plan").as_object();
  CHECK(plan.at("name") == "certus-100");
  CHECK(plan.at("cost") == 1.25);
  CHECK(plan.at("percent") == 36);
  CHECK(plan.at("left") == 31'000'000);
  CHECK(plan.at("daily_allowance").is_null());
  CHECK(plan.at("resets_at") == "2026-11-30T00:53:20Z");
  CHECK(plan.at("forecast_end_bytes") == 38'600'000);
  CHECK(plan.at("runs_out_at").is_null());
  CHECK(plan.at("state") == "yellow");
  status.links[0].plan->forecast.reset();
  CHECK(json::parse(status_json(status)).at("links").at(0).at("plan").at("forecast_end_bytes").is_null());
}

TEST_CASE("a message's end is told by its state") {
  auto message = a_message(5, queue::State::kDelivered);
  message.story.finished_wall = 1'795'000'002'000;
  message.story.sent_wall = 1'795'000'001'000;
  message.price = 12;
  auto story = json::parse(story_json(message)).as_object();
  CHECK(story.at("delivered_at") == "2026-11-18T11:06:42Z");
  CHECK(story.at("finished_at") == story.at("delivered_at"));
  CHECK(json::serialize(story.at("cost")) == json::serialize(json::parse("0.000000012")));
  const auto events = [&] {
    std::string names;
    const auto read = json::parse(story_json(message));
    for (const auto& event : read.at("story").as_array())
      names += std::string(event.at("event").as_string()) + ' ';
    return names;
  };
  CHECK(events() == "accepted sent acknowledged ");

  message.story.state = queue::State::kDropped;
  message.story.reason = queue::DropReason::kOperator;
  message.story.sent_wall.reset();
  story = json::parse(story_json(message)).as_object();
  CHECK(story.at("delivered_at").is_null());
  CHECK(story.at("reason") == "operator");
  CHECK(events() == "accepted dropped ");

  message.story.state = queue::State::kInFlight;
  CHECK(events() == "accepted ");
}

TEST_CASE("what is not known is null") {
  MessageView message;
  message.story.id = 1;
  const auto read = json::parse(messages_json({message}, 0)).as_object();
  const auto& one = read.at("messages").at(0);
  for (const auto* name :
       {"kind", "reason", "accepted_at", "age_s", "delivered_at", "wire_bytes", "cost", "link"}) {
    INFO(name);
    CHECK(one.at(name).is_null());
  }
  CHECK(read.at("next").is_null());
  CHECK(json::parse(messages_json({}, 7)).at("next") == 7);
}

TEST_CASE("a hostile topic cannot break the list") {
  auto message = a_message(1);
  message.story.topic = "\xff\"},{\"id\":2";
  const auto read = json::parse(messages_json({message}, 0));
  CHECK(read.at("messages").as_array().size() == 1);
  CHECK(read.at("messages").at(0).at("topic") == "\xEF\xBF\xBD\"},{\"id\":2");
}
