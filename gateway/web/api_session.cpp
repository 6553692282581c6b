// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "gateway/web/api.hpp"
#include "gateway/web/input.hpp"
#include "gateway/web/json_writer.hpp"
#include "gateway/web/password.hpp"

namespace tulpar::web {
namespace {

std::string cookie_text(std::string_view value, bool tls, bool ended) {
  return fmt::format("tulpar_session={}; Path=/; HttpOnly; SameSite=Strict{}{}", value, tls ? "; Secure" : "",
                     ended ? "; Max-Age=0" : "");
}

Response with_cookie(std::string_view value, bool tls, bool ended) {
  Response response{.status = 204};
  response.headers.add("Set-Cookie", cookie_text(value, tls, ended));
  return response;
}

Response too_many(Millis wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  auto response = problem(429, fmt::format("too many tries; the next one is possible in {} s", seconds));
  response.headers.add("Retry-After", std::to_string(seconds));
  return response;
}

}  // namespace

Response Api::signed_in(const Caller& caller) {
  const auto now = clock_.now();
  sign_in_.tries().refund(caller.address, now);
  return with_cookie(sign_in_.begin_session(now).token, caller.tls, false);
}

Response Api::sign_in_refused() {
  ++counters_->refused_sign_in;
  return problem(401, "the password or the code is wrong");
}

void Api::post_session(Call& call, Respond respond) {
  BodyReader body(call.request.body);
  const auto password = body.text("password", kMaxPassword);
  const auto code = body.text("code", 64);
  if (body.has("password") == body.has("code")) body.fail("password", "or `code` is needed, one of them");
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));

  const auto& caller = call.request.caller;
  if (const auto wait = sign_in_.tries().charge(caller.address, call.now)) {
    ++counters_->refused_sign_in;
    return respond(too_many(*wait));
  }
  if (code) return respond(sign_in_.take_code(*code, call.now) ? signed_in(caller) : sign_in_refused());
  check_(*password, [weak = weak_from_this(), caller, respond = std::move(respond)](const Result<bool>& right) {
    const auto self = weak.lock();
    if (!self) return;
    if (!right) return respond(problem(503, right.error().message));
    respond(*right ? self->signed_in(caller) : self->sign_in_refused());
  });
}

void Api::get_session(Call& call, Respond respond) {
  using Kind = Identity::Kind;
  const auto kind = call.who.kind;
  const char* user = kind == Kind::kLocal ? "local" : kind == Kind::kToken ? "token" : "operator";
  JsonWriter json;
  json.object().field("user", user).field("role", "operator").field("csrf", call.who.csrf).end();
  respond(json_response(200, json.take()));
}

void Api::delete_session(Call& call, Respond respond) {
  sign_in_.end(call.who.session);
  respond(with_cookie("", call.request.caller.tls, true));
  sessions_ended();
}

void Api::delete_sessions(Call&, Respond respond) {
  sign_in_.end_all();
  respond(Response{.status = 204});
  sessions_ended();
}

void Api::post_codes(Call& call, Respond respond) {
  BodyReader body(call.request.body);
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(SignIn::kCodeLife).count();
  JsonWriter json;
  json.object().field("code", sign_in_.make_code(call.now)).field("expires_s", life).end();
  respond(json_response(200, json.take()));
}

}  // namespace tulpar::web
