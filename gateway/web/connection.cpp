// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/connection.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstring>

#include "gateway/web/live_socket.hpp"

// GCC 12 takes Asio's recycling of coroutine frames for a mistake once it has inlined a part of it (GCC bug
// 103993).
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace tulpar::web {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr std::size_t kMaxHeader = 8 * 1024;
// Holds a header and the first of what follows; bodies pass through it.
constexpr std::size_t kBuffer = 16 * 1024;
// Written at a time: each piece has a deadline of its own, so that a thin line has time for the whole page.
constexpr std::size_t kPiece = 16 * 1024;
// TLS records begin with their type: a handshake.
constexpr char kTlsHandshake = 0x16;
// What a refused client still sends is read for so long, lest the reset that follows destroys the answer on its
// way.
constexpr Millis kLinger{2'000};
// And not without end.
constexpr std::size_t kMaxDiscarded = 4 << 20;

Request request_of(const Parser& parser, const Caller& caller) {
  const auto& message = parser.get();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message)
    request.headers.add(std::string(field.name_string()), std::string(field.value()));
  request.caller = caller;
  return request;
}

std::string head_of(const Response& response, bool keep_alive) {
  auto text = fmt::format("HTTP/1.1 {} {}\r\n", response.status, phrase(response.status));
  for (const auto& [name, value] : response.headers) text += fmt::format("{}: {}\r\n", name, value);
  const bool without_body = response.status == 204 || response.status == 304;
  if (!without_body) text += fmt::format("Content-Length: {}\r\n", response.content().size());
  return text + (keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

// Bytes of bodies that this request holds.
class BodyShare {
 public:
  explicit BodyShare(ServerCore& core) : core_(&core) {}
  ~BodyShare() { core_->body_bytes -= bytes_; }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;
  bool take(std::uint64_t bytes) {
    if (bytes > core_->limits.bodies - core_->body_bytes) return false;
    core_->body_bytes += bytes;
    bytes_ = bytes;
    return true;
  }

 private:
  ServerCore* core_;
  std::size_t bytes_ = 0;
};

// The API's answer as something to wait for; it may come at once. A timer that never fires is what is waited
// on: a completion handler that carries the response by value is destroyed twice by GCC 12's coroutines.
asio::awaitable<Response> answer(ServerCore& core, Request& request) {
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& executor)
        : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    std::optional<Response> response;
  };
  auto waiting = std::make_shared<Waiting>(core.executor);
  core.api->handle(std::move(request), [waiting](Response response) {
    waiting->response = std::move(response);
    waiting->timer.cancel();
  });
  boost::system::error_code cancelled;
  while (!waiting->response)
    co_await waiting->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  Response response = std::move(*waiting->response);
  co_return response;
}

class Connection {
 public:
  Connection(std::shared_ptr<ServerCore> core, Stream stream, Caller caller,
             std::unique_ptr<ConnectionTable::Place> place)
      : core_(std::move(core)),
        stream_(std::move(stream)),
        caller_(std::move(caller)),
        place_(std::move(place)) {}
  asio::awaitable<void> run();

 private:
  enum class Next { kRequest, kEnd, kFeed };
  asio::awaitable<bool> read_more();
  asio::awaitable<bool> start_tls();
  asio::awaitable<Next> one_request();
  void parse(Parser& parser);
  bool has_header(Parser& parser);
  asio::awaitable<bool> read_header(Parser& parser);
  asio::awaitable<bool> read_body(Parser& parser);
  asio::awaitable<Next> answer_request(Request& request, bool keep_alive);
  Response not_http() const;
  asio::awaitable<Next> refuse(const Response& response);
  asio::awaitable<bool> send(const Response& response, bool keep_alive);
  std::optional<Response> sent_elsewhere(const Request& request) const;

  std::shared_ptr<ServerCore> core_;
  Stream stream_;
  Caller caller_;
  std::unique_ptr<ConnectionTable::Place> place_;
  std::array<char, kBuffer> buffer_;
  std::size_t filled_ = 0;  // of the buffer: read and not yet parsed
  error_code wrong_;        // what the parser found
  bool idle_ = false;       // between two requests
  bool known_ = false;      // who asks is signed in
  bool head_only_ = false;
  Request upgrade_;  // with kFeed: the last request, and the session that it was granted with
  std::string session_;
};

asio::awaitable<bool> Connection::read_more() {
  const auto size = co_await stream_.read_some(asio::buffer(buffer_) + filled_);
  filled_ += size;
  if (stream_.expired() && !idle_) ++core_->api->counters().turned_away;
  co_return size > 0 && !core_->stopped;
}

// TLS is told by its first byte: a browser that was given no scheme tries plain HTTP.
asio::awaitable<bool> Connection::start_tls() {
  if (!core_->tls || caller_.local || buffer_[0] != kTlsHandshake) co_return true;
  // Copied: what comes next goes into the buffer.
  const std::string first(buffer_.data(), std::exchange(filled_, 0));
  if (co_await stream_.start_tls(core_->tls, first)) co_return false;
  caller_.tls = true;
  co_return !core_->stopped;
}

asio::awaitable<void> Connection::run() {
  stream_.expires_after(core_->limits.read);
  if (!co_await read_more() || !co_await start_tls()) co_return;
  auto next = Next::kRequest;
  while (next == Next::kRequest && !core_->stopped) {
    // The first request is expected at once, another one perhaps.
    if (filled_ == 0 && !co_await read_more()) co_return;
    idle_ = false;
    stream_.expires_after(core_->limits.read);
    next = co_await one_request();
    idle_ = true;
    stream_.expires_after(core_->limits.idle);
  }
  if (next == Next::kFeed && !core_->stopped) {
    stream_.expires_never();
    co_await serve_live(core_, stream_, std::move(upgrade_), std::move(session_));
    co_return;
  }
  stream_.expires_after(kLinger);
  co_await stream_.end_tls();
}

asio::awaitable<Connection::Next> Connection::one_request() {
  Parser parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(boost::none);  // the API's limits are checked before a byte of it is read
  head_only_ = false;
  if (!co_await read_header(parser)) {
    if (!wrong_) co_return Next::kEnd;
    ++core_->api->counters().refused_input;
    const auto refusal = not_http();
    co_return co_await refuse(refusal);
  }
  auto request = request_of(parser, caller_);
  head_only_ = request.method == "HEAD";
  auto refusal = sent_elsewhere(request);
  if (!refusal) {
    auto admission = core_->api->admit(request);
    known_ = admission.known;
    if (known_) place_->known();
    refusal = std::move(admission.refusal);
  }
  BodyShare share(*core_);
  const auto length = parser.content_length().value_or(0);
  const bool keep_alive = parser.keep_alive();
  if (!refusal && !share.take(length)) refusal = problem(503, "too much is being received; try again soon");
  if (refusal) {
    // A body that nobody reads would be taken for the next request.
    const bool whole = length == 0 && !parser.chunked() && keep_alive;
    if (!whole) co_return co_await refuse(*refusal);
    co_return co_await send(*refusal, true) ? Next::kRequest : Next::kEnd;
  }
  if (!co_await read_body(parser)) co_return Next::kEnd;
  request.body = std::move(parser.get().body());
  co_return co_await answer_request(request, keep_alive);
}

Response Connection::not_http() const {
  if (wrong_ == http::error::header_limit)
    return problem(431, fmt::format("the request's head may have at most {} bytes", kMaxHeader));
  return problem(400, fmt::format("this is not HTTP/1.1: {}", wrong_.message()));
}

// Beyond the loopback nothing goes unencrypted where there is a certificate.
std::optional<Response> Connection::sent_elsewhere(const Request& request) const {
  if (!core_->tls || caller_.tls || caller_.local || core_->plain_is_served) return std::nullopt;
  auto moved = problem(308, "this page is served by https");
  const auto host = request.headers.find("Host").value_or("");
  moved.headers.add("Location", fmt::format("https://{}{}", host, request.target));
  return moved;
}

void Connection::parse(Parser& parser) {
  const auto used = parser.put(asio::buffer(buffer_.data(), filled_), wrong_);
  std::memmove(buffer_.data(), buffer_.data() + used, filled_ - used);
  filled_ -= used;
}

// Parses what was read; false: more of the head has to come.
bool Connection::has_header(Parser& parser) {
  wrong_.clear();
  while (!parser.is_header_done() && !wrong_) parse(parser);
  const bool partial = wrong_ == http::error::need_more;
  if (partial) wrong_.clear();
  return !partial;
}

asio::awaitable<bool> Connection::read_header(Parser& parser) {
  // Not `if (!co_await ...)` here: in a coroutine without a variable of its own GCC 12 puts that condition's
  // value before the frame's resume pointer, and the first resumption jumps astray.
  bool more = true;
  while (more && !has_header(parser)) more = co_await read_more();
  co_return more && !wrong_;
}

// Of known length: admit() refuses every other. Part of a chunk's head would stay unparsed, and be parsed for
// ever.
asio::awaitable<bool> Connection::read_body(Parser& parser) {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  // curl waits for this before it sends a large body.
  const bool waits = boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
  if (waits && !parser.is_done() && !co_await stream_.write(kContinue)) co_return false;
  while (!parser.is_done()) {
    // Only who is signed in sends much, and may have a thin line.
    if (known_) stream_.expires_after(core_->limits.read);
    if (filled_ == 0 && !co_await read_more()) co_return false;
    parse(parser);
    if (wrong_ && wrong_ != http::error::need_more) co_return false;
  }
  co_return true;
}

asio::awaitable<Connection::Next> Connection::answer_request(Request& request, bool keep_alive) {
  Request head;
  head.target = request.target;
  head.headers = request.headers;
  auto response = co_await answer(*core_, request);
  if (core_->stopped) co_return Next::kEnd;
  if (response.upgrade) {
    upgrade_ = std::move(head);
    session_ = std::move(response.session);
    co_return Next::kFeed;
  }
  const bool sent = co_await send(response, keep_alive);
  co_return sent&& keep_alive ? Next::kRequest : Next::kEnd;
}

asio::awaitable<Connection::Next> Connection::refuse(const Response& response) {
  if (!co_await send(response, false)) co_return Next::kEnd;
  stream_.expires_after(kLinger);
  stream_.end_sending();
  std::size_t discarded = 0;
  for (std::size_t size = 1; size > 0 && discarded < kMaxDiscarded; discarded += size)
    size = co_await stream_.read_some(asio::buffer(buffer_));
  co_return Next::kEnd;
}

asio::awaitable<bool> Connection::send(const Response& response, bool keep_alive) {
  auto head = head_of(response, keep_alive);
  auto body = head_only_ ? std::string_view() : response.content();
  // The first piece leaves together with the head.
  const auto first = body.substr(0, kPiece - std::min(kPiece, head.size()));
  head += first;
  body.remove_prefix(first.size());
  stream_.expires_after(core_->limits.stall);
  if (!co_await stream_.write(head)) co_return false;
  while (!body.empty()) {
    const auto piece = body.substr(0, kPiece);
    stream_.expires_after(core_->limits.stall);
    if (!co_await stream_.write(piece)) co_return false;
    body.remove_prefix(piece.size());
  }
  co_return true;
}

}  // namespace

asio::awaitable<void> serve_connection(std::shared_ptr<ServerCore> core, Stream stream, Caller caller,
                                       std::unique_ptr<ConnectionTable::Place> place) {
  Connection connection(std::move(core), std::move(stream), std::move(caller), std::move(place));
  co_await connection.run();
}

}  // namespace tulpar::web
