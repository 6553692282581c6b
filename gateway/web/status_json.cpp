// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/status_json.hpp"

#include "gateway/web/json_writer.hpp"

namespace tulpar::web {
namespace {

double seconds(Millis duration) { return static_cast<double>(duration.count()) / 1000; }

std::optional<double> seconds(const std::optional<Millis>& duration) {
  return duration ? std::optional(seconds(*duration)) : std::nullopt;
}
std::optional<double> ago(const std::optional<BootTime>& then, BootTime now) {
  return then ? std::optional(seconds(now - *then)) : std::nullopt;
}

void write_book(JsonWriter& json, std::string_view key, const queue::Book& book) {
  json.key(key).object();
  json.field("accepted", book.accepted).field("delivered", book.delivered).field("expired", book.expired);
  json.field("conflated", book.conflated).field("dropped", book.dropped).field("queued", book.queued);
  json.field("duplicates", book.duplicates).end();
}

void write_class(JsonWriter& json, const ClassStatus& cls) {
  json.object().field("name", cls.name).field("queued", cls.book.queued);
  json.field("queued_bytes", cls.queued_bytes).field("oldest_s", seconds(cls.oldest));
  json.field("delivered", cls.book.delivered).field("paused", cls.paused);
  json.field("bytes_in_flight", cls.bytes_in_flight).field("expired", cls.book.expired);
  json.field("conflated", cls.book.conflated).field("dropped", cls.book.dropped);
  json.text_or_null("hold_reason", cls.hold_reason).end();
}

void write_forecast(JsonWriter& json, std::string_view name, const LinkPlan& plan) {
  json.key(name);
  plan.forecast ? json.value(plan.forecast->at_end) : json.value(std::nullopt);
}

void write_plan_fields(JsonWriter& json, const LinkPlan& plan) {
  const auto& figures = plan.figures;
  json.text_or_null("name", plan.name).field("included", figures.included).field("used", figures.used);
  json.field("left", figures.left).field("percent", figures.percent).key("cost").money(figures.cost);
  json.field("currency", plan.currency).field("resets_at", figures.resets_at);
  write_forecast(json, "forecast_end_bytes", plan);
  json.field("runs_out_at", plan.forecast ? plan.forecast->runs_out : std::nullopt);
  json.field("daily_allowance", figures.daily_allowance).field("state", queue::to_string(figures.state));
  json.field("reserve", figures.reserve_left);
}

void write_link(JsonWriter& json, const LinkView& view, BootTime now) {
  const auto& link = view.link;
  json.object().field("name", link.name).field("transport", link.transport).field("state", link.state);
  json.field("rate_bps", link.rate_bps);
  json.field("rtt_ms", link.round_trip ? std::optional(link.round_trip->count()) : std::nullopt);
  json.field("payload_up", link.bytes.payload_up).field("wire_up", link.bytes.wire_up);
  json.field("wire_down", link.bytes.wire_down).field("session_opens", link.bytes.session_opens);
  json.field("inflight_bytes", link.inflight_bytes).field("rate_down_bps", view.rate_down_bps);
  json.field("up_since_s", ago(link.up_since, now)).field("last_contact_s", ago(link.last_contact, now));
  json.field("wire_up_today", view.wire_up_today).field("wire_down_today", view.wire_down_today);
  json.field("payload_down", link.bytes.payload_down).field("frame_up", link.bytes.frame_up);
  json.field("frame_down", link.bytes.frame_down).text_or_null("peer", link.peer);
  json.text_or_null("note", link.note).key("plan");
  if (!view.plan) {
    json.value(std::nullopt).end();
    return;
  }
  json.object();
  write_plan_fields(json, *view.plan);
  json.end().end();
}

void write_mesh_and_store(JsonWriter& json, const MeshStatus& mesh, const StoreStatus& store) {
  json.key("mesh").object().field("connected", mesh.connected).field("durable", mesh.durable);
  json.text_or_null("note", mesh.note).field("accepted_last_minute", mesh.accepted_last_minute).end();
  json.key("store").object().field("ok", store.ok).field("bytes", store.bytes);
  json.field("max_bytes", store.max_bytes).text_or_null("problem", store.problem);
  json.field("unstored", store.unstored).text_or_null("note", store.note);
  json.field("written_today", store.written_today).end();
}

void write_edges(JsonWriter& json, const Status& status) {
  json.key("sinks").array();
  for (const auto& sink : status.sinks) {
    json.object().field("name", sink.name).field("connected", sink.connected).field("lag", sink.lag);
    json.text_or_null("note", sink.note).end();
  }
  json.end().key("gateways").array();
  for (const auto& gateway : status.gateways) {
    json.object().field("name", gateway.name).field("connected", gateway.connected);
    json.field("last_contact_s", seconds(gateway.last_contact)).field("queued", gateway.queued).end();
  }
  json.end();
}

std::optional<WallTime> instant(const std::optional<std::int64_t>& millis) {
  return millis ? std::optional(WallTime(Millis(*millis))) : std::nullopt;
}

void write_message_fields(JsonWriter& json, const MessageView& message) {
  const auto& story = message.story;
  const bool delivered = story.state == queue::State::kDelivered;
  json.field("id", story.id).field("topic", story.topic).field("class", story.cls).field("node", story.node);
  json.field("kind", story.kind ? std::optional(story.kind) : std::nullopt);
  json.field("state", queue::to_string(story.state)).text_or_null("reason", queue::to_string(story.reason));
  json.field("bytes", story.bytes).field("flagged", story.flagged);
  json.field("accepted_at", instant(story.accepted_wall)).field("age_s", seconds(message.age));
  json.field("delivered_at", delivered ? instant(story.finished_wall) : std::nullopt);
  json.field("finished_at", instant(story.finished_wall));
  json.text_or_null("link", message.link).text_or_null("peer", story.peer);
  json.field("frame_bytes", story.frame_bytes ? std::optional(story.frame_bytes) : std::nullopt);
  json.field("wire_bytes", story.wire_bytes ? std::optional(story.wire_bytes) : std::nullopt).key("cost");
  message.price ? json.money(*message.price) : json.value(std::nullopt);
  json.text_or_null("currency", message.currency);
}

}  // namespace

std::string status_json(const Status& status) {
  JsonWriter json;
  json.object().field("name", status.name).field("version", TULPAR_VERSION);
  json.field("uptime_s", std::chrono::floor<std::chrono::seconds>(status.uptime).count());
  json.key("clock").object().field("trusted", status.clock_trusted).end();
  json.key("verdict").object().field("ok", status.ok).field("text", status.verdict).end();
  write_mesh_and_store(json, status.mesh, status.store);
  write_book(json, "ledger", status.ledger);
  write_book(json, "back", status.back);
  json.key("classes").array();
  for (const auto& cls : status.classes) write_class(json, cls);
  json.end().key("links").array();
  for (const auto& link : status.links) write_link(json, link, status.at);
  json.end().field("last_delivered_s", seconds(status.last_delivered));
  write_edges(json, status);
  return json.end().take();
}

std::string plan_json(const std::vector<LinkView>& links) {
  JsonWriter json;
  json.object().key("links").array();
  for (const auto& view : links) {
    json.object().field("link", view.link.name);
    if (view.plan) {
      write_plan_fields(json, *view.plan);
      write_forecast(json, "forecast", *view.plan);
    } else {
      for (const auto* name : {"name", "included", "used", "left", "percent", "cost", "currency", "resets_at",
                               "forecast_end_bytes", "runs_out_at", "daily_allowance", "reserve", "forecast"})
        json.field(name, std::nullopt);
      json.field("state", "none");
    }
    json.end();
  }
  return json.end().end().take();
}

std::string messages_json(const std::vector<MessageView>& messages, queue::MessageId next) {
  JsonWriter json;
  json.object().key("messages").array();
  for (const auto& message : messages) {
    json.object();
    write_message_fields(json, message);
    json.end();
  }
  json.end().field("next", next ? std::optional(next) : std::nullopt);
  return json.end().take();
}

std::string story_json(const MessageView& message) {
  JsonWriter json;
  json.object();
  write_message_fields(json, message);
  const auto number = message.story.number;
  json.field("number", number ? std::optional(number) : std::nullopt);
  json.key("story").array();
  const auto event = [&](const char* what, const std::optional<WallTime>& at) {
    json.object().field("event", what).field("at", at).end();
  };
  event("accepted", instant(message.story.accepted_wall));
  if (message.story.sent_wall) event("sent", instant(message.story.sent_wall));
  // What a link or a sink delivers, it acknowledges: that is how we know.
  const bool delivered = message.story.state == queue::State::kDelivered;
  if (delivered) event("acknowledged", instant(message.story.finished_wall));
  if (!delivered && message.story.state > queue::State::kDelivered)
    event(queue::to_string(message.story.state), instant(message.story.finished_wall));
  return json.end().end().take();
}

std::string usage_json(const UsageQuery& query, std::string_view resolution,
                       const std::vector<queue::UsageRow>& rows) {
  const auto at = [](std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); };
  JsonWriter json;
  json.object().field("resolution", resolution).field("by", query.by);
  json.field("from", at(query.from)).field("to", at(query.to)).key("rows").array();
  for (const auto& row : rows) {
    json.object().field("start", at(row.start)).field(query.by, row.label);
    json.field("messages", row.usage.messages).field("payload", row.usage.payload);
    json.field("frame", row.usage.frame)
        .field("wire_up", row.usage.wire_up)
        .field("wire_down", row.usage.wire_down);
    json.end();
  }
  return json.end().end().take();
}

}  // namespace tulpar::web
