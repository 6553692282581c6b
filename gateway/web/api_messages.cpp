// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "gateway/web/api.hpp"
#include "gateway/web/input.hpp"
#include "gateway/web/json_writer.hpp"
#include "gateway/web/status_json.hpp"

namespace tulpar::web {
namespace {

using queue::MessageId;
using queue::State;

constexpr std::int64_t kMaxLimit = 1000;
constexpr std::int64_t kDefaultLimit = 50;
constexpr std::size_t kMaxName = 255;

constexpr std::array kStates = {State::kQueued,  State::kInFlight,  State::kDelivered,
                                State::kExpired, State::kConflated, State::kDropped};

std::optional<State> state_named(const std::optional<std::string>& name) {
  for (const auto state : kStates)
    if (name && *name == queue::to_string(state)) return state;
  return std::nullopt;
}

// An id that is no number names no message, like one that is not there.
std::optional<MessageId> message_id(const std::string& text) {
  MessageId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool whole = error == std::errc() && end == text.data() + text.size() && id > 0;
  return whole ? std::optional(id) : std::nullopt;
}

Response no_message(std::string_view id) {
  return problem(404, fmt::format("there is no message {}", id.substr(0, 20)));
}

// MQTT 5.0, 4.7.1 and 4.7.3; what begins with $ belongs to the broker (4.7.2).
void check_topic(BodyReader& body, const std::optional<std::string>& topic) {
  body.require("topic");
  if (!topic) return;
  if (topic->empty()) body.fail("topic", "must not be empty");
  if (topic->find_first_of(std::string_view("+#\0", 3)) != std::string::npos)
    body.fail("topic", "must not hold +, # or a NUL");
  if (topic->starts_with('$')) body.fail("topic", "must not begin with $");
}

}  // namespace

void Api::get_messages(Call& call, Respond respond) {
  static const auto kNames = [] {
    std::array<std::string_view, kStates.size()> names;
    std::transform(kStates.begin(), kStates.end(), names.begin(),
                   [](State state) { return queue::to_string(state); });
    return names;
  }();
  QueryReader query(call.target.query);
  queue::StoryFilter filter;
  filter.state = state_named(query.choice("state", kNames));
  filter.cls = query.text("class", kMaxName).value_or("");
  filter.node = query.text("node", kMaxName).value_or("");
  filter.limit = static_cast<int>(query.integer("limit", 1, kMaxLimit).value_or(kDefaultLimit));
  filter.after = query.integer("after", 0, std::numeric_limits<MessageId>::max()).value_or(0);
  if (const auto read = query.finish(); !read) return respond(problem(400, read.error().message));
  const auto limit = static_cast<std::size_t>(filter.limit);
  backend_.messages(filter, [limit, respond](const Outcome<std::vector<MessageView>>& found) {
    if (!found) return respond(failure_response(found.error()));
    const auto next = found->size() == limit ? found->back().story.id : 0;
    respond(json_response(200, messages_json(*found, next)));
  });
}

void Api::post_messages(Call& call, Respond respond) {
  const auto classes = backend_.class_names();
  BodyReader body(call.request.body);
  const auto topic = body.text("topic", config::kMaxTopic);
  const auto text = body.text("payload", config::kMaxPayload);
  auto bytes = body.base64("payload_base64", config::kMaxPayload);
  const auto cls = body.choice("class", classes);
  check_topic(body, topic);
  if (body.has("payload") == body.has("payload_base64"))
    body.fail("payload", "or `payload_base64` is needed, one of them");
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));

  SendRequest request{.topic = *topic, .payload = {}, .cls = cls.value_or("")};
  if (text)
    request.payload.assign(text->begin(), text->end());
  else
    request.payload = std::move(*bytes);
  backend_.send(std::move(request), [respond](const Outcome<MessageId>& id) {
    if (!id) return respond(failure_response(id.error()));
    JsonWriter json;
    json.object().field("id", *id).end();
    auto response = json_response(202, json.take());
    response.headers.add("Location", fmt::format("/api/v1/messages/{}", *id));
    respond(std::move(response));
  });
}

void Api::get_message(Call& call, Respond respond) {
  const auto id = message_id(call.arguments[0]);
  if (!id) return respond(no_message(call.arguments[0]));
  backend_.story(*id, [respond](const Outcome<MessageView>& found) {
    respond(found ? json_response(200, story_json(*found)) : failure_response(found.error()));
  });
}

void Api::patch_message(Call& call, Respond respond) {
  const auto id = message_id(call.arguments[0]);
  if (!id) return respond(no_message(call.arguments[0]));
  const auto classes = backend_.class_names();
  BodyReader body(call.request.body);
  const auto cls = body.choice("class", classes);
  body.require("class");
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));
  backend_.reclassify(*id, *cls, answer_nothing(std::move(respond)));
}

void Api::delete_message(Call& call, Respond respond) {
  const auto id = message_id(call.arguments[0]);
  if (!id) return respond(no_message(call.arguments[0]));
  backend_.drop(*id, answer_nothing(std::move(respond)));
}

}  // namespace tulpar::web
