// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/gateway_watch.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace tulpar::demo {
namespace {

namespace asio = boost::asio;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr Millis kStatusEvery{500};
// A link may be used up at any time; and the server remembers eight codes, each for a quarter of an hour.
constexpr Millis kCodeEvery = std::chrono::minutes(2);
constexpr Millis kCodeAgain{500};

}  // namespace

struct GatewayWatch::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor executor_, std::string socket_, std::string address_)
      : executor(std::move(executor_)),
        socket(std::move(socket_)),
        address(std::move(address_)),
        status_timer(executor),
        code_timer(executor) {}

  asio::any_io_executor executor;
  std::string socket, address, page;
  asio::steady_timer status_timer, code_timer;
  GatewayFigures figures;
  bool stopped = false;

  void spawn(asio::awaitable<void> work) {
    asio::co_spawn(executor, std::move(work), [self = shared_from_this()](std::exception_ptr broken) {
      if (broken) std::rethrow_exception(broken);
    });
  }
  asio::awaitable<void> watch_status();
  asio::awaitable<void> renew_code();
};

asio::awaitable<void> GatewayWatch::State::watch_status() {
  while (!stopped) {
    const auto answer = co_await ask(socket, "GET", "/api/v1/status");
    if (answer && answer->status == 200) {
      if (const auto read = parse_figures(answer->body)) figures = *read;
    }
    if (stopped) co_return;
    status_timer.expires_after(kStatusEvery);
    co_await status_timer.async_wait(kUse);
  }
}

asio::awaitable<void> GatewayWatch::State::renew_code() {
  while (!stopped) {
    const auto answer = co_await ask(socket, "POST", "/api/v1/codes");
    const auto code = answer && answer->status == 200 ? parse_code(answer->body) : Error{};
    if (stopped) co_return;
    if (code) page = address + "#code=" + *code;
    code_timer.expires_after(code ? kCodeEvery : kCodeAgain);
    co_await code_timer.async_wait(kUse);
  }
}

GatewayWatch::GatewayWatch(asio::any_io_executor executor, std::string socket, std::string page)
    : state_(std::make_shared<State>(std::move(executor), std::move(socket), std::move(page))) {
  state_->spawn(state_->watch_status());
  state_->spawn(state_->renew_code());
}

GatewayWatch::~GatewayWatch() {
  state_->stopped = true;
  state_->status_timer.cancel();
  state_->code_timer.cancel();
}

const GatewayFigures& GatewayWatch::figures() const { return state_->figures; }
const std::string& GatewayWatch::page() const { return state_->page; }

}  // namespace tulpar::demo
