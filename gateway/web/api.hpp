// SPDX-License-Identifier: Apache-2.0
//
// The HTTP API without sockets: who may do what, which address does what, what it answers. Start here:
// routes().
//
// On the loop thread. Backend, clock and what `PasswordCheck` needs must outlive it; an answer that the backend
// gives after its end is lost without harm. Made by std::make_shared.
#pragma once

#include <memory>
#include <span>

#include "gateway/web/backend.hpp"
#include "gateway/web/http.hpp"
#include "gateway/web/metrics.hpp"
#include "gateway/web/sign_in.hpp"

namespace tulpar::web {

// Checks the operator's password away from the loop: it is slow by design. The answer comes on the loop thread.
using PasswordCheck = std::function<void(std::string password, std::function<void(Result<bool>)> done)>;

class Api : public std::enable_shared_from_this<Api> {
 public:
  struct Route {
    std::string_view method;
    std::string_view path;  // {name} stands for one segment
    bool open;              // needs no sign-in
    std::size_t max_body;   // bytes; 0: takes none
  };
  static std::span<const Route> routes();

  // `token`: what scripts send as Authorization: Bearer.
  Api(Backend& backend, const Clock& clock, PasswordCheck check, std::string token);

  // What can be said before the body is read: a refusal, or how long a body may follow.
  struct Admission {
    std::optional<Response> refusal{};
    std::size_t max_body = 0;
    bool known = false;  // the caller is signed in
  };
  Admission admit(const Request& head);
  // Refuses what admit() refuses. Answers once, at once or later.
  void handle(Request request, Respond respond);

  // A live feed that began with this Response::session may go on.
  bool may_watch(const std::string& session) const;
  std::string status_text();
  SignIn& sign_in() { return sign_in_; }
  WebCounters& counters() { return *counters_; }

  // Called when sessions ended by somebody's wish: live feeds may have to end.
  std::function<void()> sessions_ended = [] {};

 private:
  struct Identity {
    enum class Kind { kNobody, kCookie, kBearer, kToken, kLocal } kind = Kind::kNobody;
    std::string session, csrf;
  };
  struct Call {
    Request request;
    Target target;
    std::vector<std::string> arguments;  // what stands for the {names} of the path
    Identity who;
    BootTime now;
  };
  using Handler = void (Api::*)(Call&, Respond);
  struct Entry {
    Route route;
    Handler handler;
  };
  static std::span<const Entry> entries();
  struct Match {
    const Entry* entry = nullptr;
    std::vector<std::string> arguments;
    std::string allow;  // the methods that the path has, where this one is not among them
  };
  static Match match(const std::string& method, const Target& target);
  struct Prepared {
    std::optional<Response> refusal{};
    std::optional<Response> page{};  // it is a file of the page
    const Entry* entry = nullptr;
    std::optional<Call> call{};
  };
  Prepared prepare(const Request& head);
  Identity identify(const Request& request, BootTime now);
  static std::optional<Response> forged(const Request& request, const Identity& who, bool open);
  static std::optional<Response> wrong_body(const Request& request, std::size_t max_body);
  Response finish(Response response) const;

  // api_session.cpp
  void get_session(Call&, Respond);
  void post_session(Call&, Respond);
  void delete_session(Call&, Respond);
  void delete_sessions(Call&, Respond);
  void post_codes(Call&, Respond);
  Response signed_in(const Caller& caller);
  Response sign_in_refused();
  // api_messages.cpp
  void get_messages(Call&, Respond);
  void post_messages(Call&, Respond);
  void get_message(Call&, Respond);
  void patch_message(Call&, Respond);
  void delete_message(Call&, Respond);
  // api_status.cpp
  void get_health(Call&, Respond);
  void get_metrics(Call&, Respond);
  void get_openapi(Call&, Respond);
  void get_status(Call&, Respond);
  void get_live(Call&, Respond);
  void post_pause(Call&, Respond);
  void post_resume(Call&, Respond);
  void set_paused(Call&, Respond, bool paused);
  // api_usage.cpp
  void get_usage(Call&, Respond);
  void get_plan(Call&, Respond);
  void post_reading(Call&, Respond);
  void post_allow(Call&, Respond);

  Backend& backend_;
  const Clock& clock_;
  PasswordCheck check_;
  std::string token_;
  SignIn sign_in_;
  std::shared_ptr<WebCounters> counters_ = std::make_shared<WebCounters>();
};

Response failure_response(const Failure& failure);
// Answers 204, or the failure.
Done<void> answer_nothing(Respond respond);

}  // namespace tulpar::web
