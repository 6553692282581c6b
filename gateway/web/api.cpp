// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/web/page_files.hpp"
#include "gateway/web/secrets.hpp"
#include "gateway/web/status_json.hpp"

namespace tulpar::web {
namespace {

constexpr std::string_view kCookie = "tulpar_session";
constexpr std::string_view kBearer = "Bearer ";

// Everything from here, nothing inline, nothing framed.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::optional<std::string_view> cookie(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto end = header.find(';');
    auto pair = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return std::nullopt;
}

bool changes_something(const std::string& method) { return method != "GET" && method != "HEAD"; }

bool opens_socket(const Request& request) { return request.headers.find("Upgrade").has_value(); }

// A page of another origin made the browser send this. Scripts and command lines send no Origin. The scheme is
// not compared: a proxy in front of us may speak TLS for us.
bool foreign(const Request& request) {
  const auto origin = request.headers.find("Origin");
  if (!origin) return false;
  const auto scheme = origin->find("://");
  if (scheme == std::string_view::npos) return true;
  return !equal_ignoring_case(origin->substr(scheme + 3), request.headers.find("Host").value_or(""));
}

std::optional<std::vector<std::string>> fit(std::string_view pattern, const std::vector<std::string>& path) {
  std::vector<std::string> arguments;
  for (const auto& segment : path) {
    if (pattern.empty()) return std::nullopt;
    pattern.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(wanted.size());
    if (wanted.starts_with('{'))
      arguments.push_back(segment);
    else if (wanted != segment)
      return std::nullopt;
  }
  return pattern.empty() ? std::optional(std::move(arguments)) : std::nullopt;
}

std::string joined(const Target& target) {
  std::string path;
  for (const auto& segment : target.path) path += '/' + segment;
  return path.empty() ? "/" : path;
}

}  // namespace

Response failure_response(const Failure& failure) {
  switch (failure.kind) {
    case Failure::Kind::kInvalid:
      return problem(400, failure.message);
    case Failure::Kind::kNotFound:
      return problem(404, failure.message);
    case Failure::Kind::kConflict:
      return problem(409, failure.message);
    case Failure::Kind::kNotSupported:
      return problem(501, failure.message);
    case Failure::Kind::kUnavailable:
      break;
  }
  return problem(503, failure.message);
}

Done<void> answer_nothing(Respond respond) {
  return [respond = std::move(respond)](const Outcome<void>& done) {
    respond(done ? Response{.status = 204} : failure_response(done.error()));
  };
}

Api::Api(Backend& backend, const Clock& clock, PasswordCheck check, std::string token)
    : backend_(backend), clock_(clock), check_(std::move(check)), token_(std::move(token)) {}

Api::Match Api::match(const std::string& method, const Target& target) {
  // HEAD is a GET whose body the server leaves away.
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : std::string_view(method);
  Match match;
  for (const auto& entry : entries()) {
    auto arguments = fit(entry.route.path, target.path);
    if (!arguments) continue;
    if (entry.route.method == wanted) return {&entry, std::move(*arguments), {}};
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += entry.route.method;
    if (entry.route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

Api::Identity Api::identify(const Request& request, BootTime now) {
  using Kind = Identity::Kind;
  if (request.caller.local) return {Kind::kLocal, {}, {}};
  if (const auto header = request.headers.find("Authorization")) {
    // Whoever shows a token means it: a wrong one does not fall back to a cookie.
    if (header->size() < kBearer.size() || !equal_ignoring_case(header->substr(0, kBearer.size()), kBearer))
      return {};
    const auto token = header->substr(kBearer.size());
    if (same_secret(token, token_)) return {Kind::kToken, {}, {}};
    const auto* session = sign_in_.find(token, now);
    return session ? Identity{Kind::kBearer, session->token, session->csrf} : Identity{};
  }
  const auto token = cookie(request.headers.find("Cookie").value_or(""), kCookie);
  const auto* session = token ? sign_in_.find(*token, now) : nullptr;
  return session ? Identity{Kind::kCookie, session->token, session->csrf} : Identity{};
}

std::optional<Response> Api::forged(const Request& request, const Identity& who, bool open) {
  if (request.caller.local || (!changes_something(request.method) && !opens_socket(request)))
    return std::nullopt;
  if (foreign(request)) return problem(403, "this came from a page of another origin");
  if (open || who.kind != Identity::Kind::kCookie || !changes_something(request.method)) return std::nullopt;
  if (same_secret(request.headers.find("X-Tulpar-Csrf").value_or(""), who.csrf)) return std::nullopt;
  return problem(403,
                 "the header X-Tulpar-Csrf is missing or is not this session's (GET /api/v1/session tells it)");
}

std::optional<Response> Api::wrong_body(const Request& request, std::size_t max_body) {
  if (request.headers.find("Transfer-Encoding"))
    return problem(411, "send a body in one piece, with Content-Length");
  std::size_t length = request.body.size();
  if (const auto header = request.headers.find("Content-Length")) {
    std::size_t told = 0;
    const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), told);
    if (error == std::errc::result_out_of_range)
      told = SIZE_MAX;
    else if (error != std::errc() || end != header->data() + header->size())
      return problem(400, "Content-Length is not a number");
    length = std::max(length, told);
  }
  if (length == 0) return std::nullopt;
  if (length > max_body)
    return problem(413, max_body ? fmt::format("the body may have at most {} bytes", max_body)
                                 : std::string("no body is expected here"));
  // Forgery by another site's form is a browser's matter: it cannot reach the Unix socket.
  if (request.caller.local) return std::nullopt;
  auto type = request.headers.find("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (!equal_ignoring_case(type, "application/json"))
    return problem(415, "the body must be JSON, with Content-Type: application/json");
  return std::nullopt;
}

Api::Prepared Api::prepare(const Request& head) {
  auto target = parse_target(head.target);
  if (!target) return {.refusal = problem(400, target.error().message)};
  auto match = Api::match(head.method, *target);
  Prepared prepared{.entry = match.entry};
  if (!match.entry) {
    if (match.allow.empty()) prepared.page = page_response(head, joined(*target));
    if (prepared.page && changes_something(head.method)) match.allow = "GET, HEAD";
    if (!match.allow.empty()) {
      prepared.refusal =
          problem(405, fmt::format("{} is not possible here; allowed: {}", head.method, match.allow));
      prepared.refusal->headers.add("Allow", match.allow);
    } else if (!prepared.page) {
      prepared.refusal =
          problem(404, "there is nothing at this address; GET /api/v1/openapi.json tells what there is");
    } else {
      prepared.refusal = wrong_body(head, 0);
    }
    return prepared;
  }
  const auto& route = match.entry->route;
  const auto now = clock_.now();
  auto who = identify(head, now);
  if (!route.open && who.kind == Identity::Kind::kNobody) {
    prepared.refusal = problem(401, "nobody is signed in; POST /api/v1/session, or send Authorization: Bearer");
    prepared.refusal->headers.add("WWW-Authenticate", "Bearer");
    return prepared;
  }
  prepared.refusal = forged(head, who, route.open);
  if (!prepared.refusal) prepared.refusal = wrong_body(head, route.max_body);
  prepared.call = Call{{}, std::move(*target), std::move(match.arguments), std::move(who), now};
  return prepared;
}

Api::Admission Api::admit(const Request& head) {
  auto prepared = prepare(head);
  if (prepared.refusal) return {.refusal = finish(std::move(*prepared.refusal))};
  if (prepared.page) return {};
  return {.max_body = prepared.entry->route.max_body,
          .known = prepared.call->who.kind != Identity::Kind::kNobody};
}

void Api::handle(Request request, Respond respond) {
  auto prepared = prepare(request);
  if (prepared.refusal) return respond(finish(std::move(*prepared.refusal)));
  if (prepared.page) return respond(finish(std::move(*prepared.page)));
  auto finished = [weak = weak_from_this(), respond = std::move(respond)](Response response) {
    if (const auto self = weak.lock()) respond(self->finish(std::move(response)));
  };
  prepared.call->request = std::move(request);
  (this->*prepared.entry->handler)(*prepared.call, std::move(finished));
}

Response Api::finish(Response response) const {
  ++counters_->requests;
  switch (response.status) {
    case 401:
    case 403:
      ++counters_->refused_access;
      break;
    case 400:
    case 405:
    case 411:
    case 413:
    case 415:
      ++counters_->refused_input;
      break;
    default:
      break;
  }
  auto& headers = response.headers;
  headers.add("Content-Security-Policy", kContentPolicy);
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Resource-Policy", "same-origin");
  if (!headers.find("Cache-Control")) headers.add("Cache-Control", "no-store");
  // Whoever has no clock must not tell the time (RFC 9110, 6.6.1).
  if (clock_.trusted()) headers.add("Date", http_date(clock_.wall()));
  return response;
}

bool Api::may_watch(const std::string& session) const {
  return session.empty() || sign_in_.alive(session, clock_.now());
}

std::string Api::status_text() { return status_json(backend_.status()); }

}  // namespace tulpar::web
