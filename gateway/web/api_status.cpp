// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/api.hpp"
#include "gateway/web/input.hpp"
#include "gateway/web/openapi.hpp"
#include "gateway/web/status_json.hpp"

namespace tulpar::web {

void Api::get_health(Call&, Respond respond) {
  const auto reason = backend_.unhealthy();
  respond(reason.empty() ? json_response(200, R"({"ok":true})") : problem(503, reason));
}

void Api::get_metrics(Call&, Respond respond) {
  Response response{.body = metrics_text(backend_.status(), *counters_)};
  response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  respond(std::move(response));
}

void Api::get_openapi(Call&, Respond respond) {
  auto response = json_response(200, {});
  response.fixed = openapi_json();
  respond(std::move(response));
}

void Api::get_status(Call& call, Respond respond) {
  QueryReader query(call.target.query);
  if (const auto read = query.finish(); !read) return respond(problem(400, read.error().message));
  respond(json_response(200, status_text()));
}

void Api::get_live(Call& call, Respond respond) {
  const auto upgrade = call.request.headers.find("Upgrade");
  if (!upgrade || !equal_ignoring_case(*upgrade, "websocket")) {
    auto response = problem(426, "this is a WebSocket: it brings the status as it changes");
    response.headers.add("Upgrade", "websocket");
    return respond(std::move(response));
  }
  respond(Response{.status = 101, .upgrade = true, .session = call.who.session});
}

void Api::set_paused(Call& call, Respond respond, bool paused) {
  BodyReader body(call.request.body);
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));
  const auto done = backend_.pause(call.arguments[0], paused);
  respond(done ? Response{.status = 204} : failure_response(done.error()));
}

void Api::post_pause(Call& call, Respond respond) { set_paused(call, std::move(respond), true); }
void Api::post_resume(Call& call, Respond respond) { set_paused(call, std::move(respond), false); }

}  // namespace tulpar::web
