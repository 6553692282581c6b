// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/http_server.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "config/address.hpp"
#include "gateway/web/code_file.hpp"
#include "gateway/web/listener.hpp"
#include "gateway/web/password.hpp"
#include "gateway/web/secrets.hpp"
#include "gateway/web/server_core.hpp"

namespace tulpar::web {
namespace {

namespace asio = boost::asio;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

}  // namespace

void ServerCore::arm_push() {
  const auto wake = feeds.next_wake();
  if (stopped || push_armed || !wake) return;
  push_armed = true;
  // Also when it is due now, by way of the loop: what changes together is pushed together.
  push_timer.expires_after(std::max(Millis(0), *wake - clock.now()));
  push_timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->push_armed = false;
    if (error || self->stopped) return;
    self->feeds.step(
        self->clock.now(), [&] { return self->api->status_text(); },
        [&](const std::string& session) { return self->may_watch(session); });
    self->arm_push();
  });
}

struct HttpServer::Impl {
  Impl(const asio::any_io_executor& executor, const WebSettings& with, const Clock& clock)
      : settings(with), core(std::make_shared<ServerCore>(executor, with.limits, clock)) {}

  Result<void> start(Backend& backend);
  Result<void> load_certificate();
  PasswordCheck password_check();

  WebSettings settings;
  std::shared_ptr<ServerCore> core;
  std::unique_ptr<Listener> tcp, local;
  config::HostPort address;
  std::string fingerprint;
  asio::thread_pool hashing{1};
};

// One at a time on its own thread: the link must not wait for a hash, and two at once would take twice the
// memory.
PasswordCheck HttpServer::Impl::password_check() {
  return [this](std::string password, std::function<void(Result<bool>)> done) {
    auto answer = [weak = std::weak_ptr(core), done = std::move(done)](const Result<bool>& right) {
      const auto alive = weak.lock();
      if (alive && !alive->stopped) done(right);
    };
    asio::post(hashing, [state_dir = settings.state_dir, executor = core->executor,
                         password = std::move(password), answer = std::move(answer)]() mutable {
      // Moved: what the request holds must not end here, beside the loop.
      asio::post(executor,
                 [answer = std::move(answer), right = check_password(state_dir, password)] { answer(right); });
    });
  };
}

Result<void> HttpServer::Impl::load_certificate() {
  const auto& web = settings.web;
  if (web.listen.empty() || web.tls == "off") return {};
  const auto certificate = web.tls == "auto" ? own_certificate(settings.state_dir, settings.name)
                                             : certificate_from(web.cert, web.key);
  if (!certificate) return certificate.error();
  const auto context = tls_context(*certificate);
  if (!context) return context.error();
  core->tls = *context;
  fingerprint = certificate->fingerprint;
  return {};
}

Result<void> HttpServer::Impl::start(Backend& backend) {
  const auto token = load_or_make_token(settings.state_dir);
  if (!token) return token.error();
  if (const auto loaded = load_certificate(); !loaded) return loaded;
  core->api = std::make_shared<Api>(backend, core->clock, password_check(), *token);
  // The feeds alone are meant: the loop lives on, and so may the core.
  core->api->sessions_ended = [c = core.get()] {
    c->feeds.end_unless([c](const std::string& session) { return c->may_watch(session); });
  };
  if (const auto left = take_left_code(settings.state_dir, core->clock))
    core->api->sign_in().add_code(left->code, left->until);

  auto socket = Listener::local(core, settings.state_dir + "/tulpar.sock");
  if (!socket) return socket.error();
  local = std::move(*socket);
  if (settings.web.listen.empty()) return {};
  const auto wanted = config::parse_host_port(settings.web.listen);
  if (!wanted) return Error{fmt::format("[web] listen: {}", wanted.error().message)};
  core->plain_is_served = config::is_loopback(wanted->host);
  auto listener = Listener::tcp(core, *wanted);
  if (!listener) return listener.error();
  tcp = std::move(*listener);
  address = {wanted->host, tcp->port()};
  return {};
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const asio::any_io_executor& executor,
                                                      const WebSettings& settings, Backend& backend,
                                                      const Clock& clock) {
  // Whole before it is started: its end stops what a failed start has begun.
  std::unique_ptr<HttpServer> server(new HttpServer(std::make_unique<Impl>(executor, settings, clock)));
  if (const auto started = server->impl_->start(backend); !started) return started.error();
  return server;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  auto& core = *impl_->core;
  core.stopped = true;
  impl_->tcp.reset();
  impl_->local.reset();
  core.push_timer.cancel();
  core.feeds.end_all();
  core.remote.close_all();
  core.local.close_all();
  impl_->hashing.stop();
  impl_->hashing.join();
}

void HttpServer::status_changed() {
  impl_->core->feeds.changed();
  impl_->core->arm_push();
}

std::string HttpServer::make_code() { return impl_->core->api->sign_in().make_code(impl_->core->clock.now()); }

std::string HttpServer::url() const {
  const auto& at = impl_->address;
  if (at.port == 0) return {};
  const bool https = impl_->core->tls && !impl_->core->plain_is_served;
  const auto host = is_wildcard(at.host) ? host_name() : at.host;
  return fmt::format("{}://{}/", https ? "https" : "http", config::format_host_port({host, at.port}));
}

std::uint16_t HttpServer::port() const { return impl_->address.port; }
std::string HttpServer::fingerprint() const { return impl_->fingerprint; }

}  // namespace tulpar::web
