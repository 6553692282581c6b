// SPDX-License-Identifier: Apache-2.0
//
// The API over a program that does nothing: each request is answered once, in its form, and changes nothing
// without leave.
//
// Input: METHOD TARGET, lines of headers, an empty line, the body; lines end in \n alone. In a header's value
// $TOKEN and $SESSION stand for what the caller may know.
#include "gateway/web/api.hpp"

#include <boost/json/parse.hpp>

#include "bridge/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

const std::string kToken(64, 'a');

void judge(const Response& response) {
  require(phrase(response.status) != "Unknown", "an answer has a status that HTTP knows");
  for (const auto& [name, value] : response.headers) {
    require(!name.empty() && name.find_first_of("\r\n: ") == std::string::npos, "a header has a name");
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a header is one line");
  }
  const auto type = response.headers.find("Content-Type").value_or("");
  if (response.status >= 400) require(type == "application/problem+json", "a refusal says why");
  if (type.find("json") == type.npos) return;
  boost::system::error_code error;
  boost::json::parse(response.content(), error);
  require(!error && bridge::valid_utf8(response.content()), "JSON is JSON");
}

Request request_from(Input& in, const std::string& session) {
  Request request;
  request.method = in.text_until(' ');
  request.target = in.text_until('\n');
  request.caller.address = "192.0.2.1";
  for (auto line = in.text_until('\n'); !line.empty(); line = in.text_until('\n')) {
    const auto colon = std::min(line.find(": "), line.size());
    std::string value(line.substr(std::min(colon + 2, line.size())));
    for (const auto& [word, secret] :
         {std::pair<std::string_view, std::string>{"$TOKEN", kToken}, {"$SESSION", session}})
      if (const auto at = value.find(word); at != value.npos) value.replace(at, word.size(), secret);
    request.headers.add(std::string(line.substr(0, colon)), std::move(value));
  }
  request.body = in.rest_text();
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ManualClock clock;
  FakeBackend backend;
  backend.current = a_status();
  backend.list = {a_message(42), a_message(43)};
  int passwords = 0;
  const auto api = std::make_shared<Api>(
      backend, clock,
      [&](const std::string& password, const std::function<void(Result<bool>)>& done) {
        ++passwords;
        done(password == "winged horse");
      },
      kToken);
  const auto session = api->sign_in().begin_session(clock.now()).token;
  Input in(data, size);
  const auto request = request_from(in, session);
  const auto admission = api->admit(request);
  if (admission.refusal) judge(*admission.refusal);
  int answers = 0;
  api->handle(request, [&](const Response& response) {
    ++answers;
    judge(response);
    if (admission.refusal)
      require(response.status == admission.refusal->status, "a refused request stays refused");
  });
  require(answers == 1, "a request is answered once");
  const bool acted = backend.sent || backend.moved || backend.dropped || backend.paused || backend.asked;
  require(!acted || admission.known, "nobody acts who is not signed in");
  require(!acted || request.body.size() <= admission.max_body, "a body keeps its limit");
  require(passwords <= 1, "a request tries one password");
  return 0;
}
