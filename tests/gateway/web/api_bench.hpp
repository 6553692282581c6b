// SPDX-License-Identifier: Apache-2.0
//
// The API without sockets: asks it as a browser, a script, the Unix socket, or nobody.
#pragma once

#include <boost/json.hpp>

#include "gateway/web/api.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

namespace tulpar::web {

inline const std::string kToken(64, 'a');
inline const std::string kPassword = "winged horse";

struct ApiBench {
  enum As { kNobody, kBrowser, kScript, kSocket };

  ApiBench() {
    backend.current = a_status();
    api = std::make_shared<Api>(
        backend, clock,
        [this](const std::string& password, const std::function<void(Result<bool>)>& done) {
          ++passwords_checked;
          done(password == kPassword);
        },
        kToken);
    const auto& begun = api->sign_in().begin_session(clock.now());
    session = begun.token;
    csrf = begun.csrf;
  }

  Request request(As who, std::string method, std::string target, std::string body = {}) const {
    Request request{.method = std::move(method), .target = std::move(target)};
    request.caller.address = "192.0.2.1";
    request.headers.add("Host", "gateway.example");
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    if (who == kSocket) request.caller = Caller{.local = true};
    if (who == kScript) request.headers.add("Authorization", "Bearer " + kToken);
    if (who == kBrowser) {
      request.headers.add("Cookie", "theme=dark; tulpar_session=" + session);
      request.headers.add("Origin", "http://gateway.example");
      if (request.method != "GET") request.headers.add("X-Tulpar-Csrf", csrf);
    }
    return request;
  }

  Response ask(Request request) {
    std::optional<Response> answer;
    api->handle(std::move(request), [&](Response response) {
      REQUIRE_FALSE(answer);
      answer = std::move(response);
    });
    REQUIRE(answer);
    return *answer;
  }
  Response ask(As who, std::string method, std::string target, std::string body = {}) {
    return ask(request(who, std::move(method), std::move(target), std::move(body)));
  }
  Response get(std::string target) { return ask(kSocket, "GET", std::move(target)); }
  Response post(std::string target, std::string body) {
    return ask(kSocket, "POST", std::move(target), std::move(body));
  }

  ManualClock clock;
  FakeBackend backend;
  int passwords_checked = 0;
  std::shared_ptr<Api> api;
  std::string session, csrf;
};

inline boost::json::object body_of(const Response& response) {
  return boost::json::parse(response.content()).as_object();
}
inline std::string detail_of(const Response& response) {
  CHECK(response.headers.find("Content-Type") == "application/problem+json");
  const auto problem = body_of(response);
  CHECK(problem.at("status").to_number<int>() == response.status);
  CHECK(problem.at("title").as_string() == phrase(response.status));
  return std::string(problem.at("detail").as_string());
}

}  // namespace tulpar::web
