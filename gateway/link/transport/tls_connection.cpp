// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/transport/tls_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "gateway/link/frame.hpp"
#include "gateway/link/session.hpp"

namespace tulpar::link {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A record: 5 header, 1 type, 8 tag; and up to 3 for the frame's length.
constexpr std::size_t kRecord = 14 + 3;
// After a whole silence of this long, or four round trips, data that is not acknowledged never will be in time.
constexpr Millis kLeastStall{8000};
constexpr std::size_t kMostUnheard = 4 * kMaxFrame;
// How long a closing connection waits for the peer's FIN, so that its last segments are counted.
constexpr std::chrono::seconds kLinger{3};

}  // namespace

TlsConnection::TlsConnection(asio::ip::tcp::socket socket, std::unique_ptr<TlsEngine> engine,
                             const Clock& clock, const TlsOptions& options)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      engine_(std::move(engine)),
      clock_(&clock),
      opened_(clock.now()),
      options_(options),
      pacer_(options.rate_bps),
      in_(16 * 1024) {
  error_code ignored;
  const auto remote = socket_.remote_endpoint(ignored);
  address_ = fmt::format("{}:{}", remote.address().to_string(), remote.port());
  tune_tcp(socket_.native_handle(), options.keepalive);
  socket_.non_blocking(true, ignored);
  sample(opened_);
}

void TlsConnection::start(Ready ready) {
  ready_ = std::move(ready);
  timer_.expires_after(options_.timeout);
  timer_.async_wait([weak = weak_from_this()](const error_code& failed) {
    auto self = weak.lock();
    if (!self || failed || !self->ready_) return;
    self->timed_out_ = true;
    self->end("the handshake took too long");
  });
  if (auto begun = engine_->start(); !begun) return end(begun.error().message);
  flush();
  read();
}

void TlsConnection::read() {
  socket_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](const error_code& failed, std::size_t count) {
                            if (self->ended_) return;
                            if (failed)
                              return self->end(self->closing_.empty() ? failed.message() : self->closing_);
                            self->on_bytes(count);
                            // While nobody listens TCP holds back what a peer sends beyond a few frames.
                            self->paused_ = !self->events_.received && self->engine_->waiting() > kMostUnheard;
                            if (!self->ended_ && !self->paused_) self->read();
                          });
}

void TlsConnection::on_bytes(std::size_t count) {
  const bool before = engine_->established();
  const auto done = engine_->received(ByteView(in_).first(count));
  if (engine_->established() && !before && ready_) {
    timer_.cancel();
    // The owner hands its greeting over in here; it leaves together with our Finished.
    std::exchange(ready_, nullptr)(shared_from_this(), nullptr);
  }
  flush();
  if (!done) return end(done.error().message);
  deliver();
}

void TlsConnection::set_events(Events events) {
  events_ = std::move(events);
  if (!events_.received) return;
  // What came before somebody listened.
  asio::post(socket_.get_executor(), [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->ended_) return;
    self->deliver();
    if (std::exchange(self->paused_, false) && !self->ended_) self->read();
  });
}

// Frames wait until somebody listens: the peer's greeting comes with its Finished, and the relay may have to
// load that gateway's queue first.
void TlsConnection::deliver() {
  while (!ended_ && events_.received) {
    auto frame = engine_->next_frame();
    if (!frame) return end(frame.error().message);
    if (!*frame) return;
    events_.received(**frame);
  }
}

void TlsConnection::flush() {
  const Bytes more = engine_->take_output();
  out_.insert(out_.end(), more.begin(), more.end());
  write();
}

void TlsConnection::write() {
  if (writing_ || ended_) return;
  if (out_.empty()) {
    error_code ignored;
    if (!closing_.empty()) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    return;
  }
  error_code failed;
  const std::size_t sent = socket_.write_some(asio::buffer(out_), failed);
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (failed && failed != asio::error::would_block) return end(failed.message());
  if (out_.empty()) return write();
  writing_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const error_code& broken) {
    self->writing_ = false;
    if (self->ended_) return;
    if (broken) return self->end(broken.message());
    self->write();
    if (self->out_.empty() && self->events_.writable) self->events_.writable();
  });
}

void TlsConnection::sample(BootTime now) {
  if (ended_) return;
  const auto fresh = tcp_info(socket_.native_handle(), !engine_->dialling());
  if (!fresh) return;
  if (fresh->payload_acked != info_.payload_acked || fresh->outstanding == 0) progress_ = now;
  info_ = *fresh;
  pacer_.sample(now, {.delivered = info_.wire_arrived,
                      .outstanding = info_.wire_outstanding + out_.size(),
                      .min_rtt = info_.min_rtt});
}

std::size_t TlsConnection::frame_limit() const {
  const std::size_t overhead = info_.header + kRecord;
  const std::size_t wire = pacer_.frame_bytes();
  return std::clamp(wire > overhead ? wire - overhead : 0, kLeastFrame, kMaxFrame - kRecord);
}

bool TlsConnection::can_send(BootTime now) {
  if (ended_ || !closing_.empty() || !engine_->established() || !out_.empty()) return false;
  sample(now);
  return pacer_.can_send(now);
}

void TlsConnection::send(Bytes frame, BootTime now) {
  if (ended_) return;
  if (auto sent = engine_->send(frame); !sent) return end(sent.error().message);
  const std::size_t segments = frame.size() / 1400 + 1;
  pacer_.sent(now, frame.size() + kRecord + segments * info_.header);
  flush();
}

std::optional<BootTime> TlsConnection::next_wake(BootTime now) const {
  if (ended_ || !out_.empty()) return std::nullopt;
  return pacer_.next_wake(now);
}

bool TlsConnection::stalled(BootTime now) const {
  return info_.outstanding > 0 && now - progress_ >= std::max(kLeastStall, info_.rtt * 4);
}

std::optional<Millis> TlsConnection::round_trip() const {
  return info_.rtt.count() ? std::optional(info_.rtt) : std::nullopt;
}

WireCount TlsConnection::wire() {
  sample(clock_->now());
  return {info_.wire_sent, info_.wire_received};
}

void TlsConnection::close(std::string why) {
  if (ended_ || !closing_.empty()) return;
  closing_ = why.empty() ? "closed" : std::move(why);
  engine_->close_notify();
  flush();
  timer_.expires_after(kLinger);
  timer_.async_wait([weak = weak_from_this()](const error_code& failed) {
    if (auto self = weak.lock(); self && !failed) self->end(self->closing_);
  });
}

void TlsConnection::end(const std::string& why) {
  if (ended_) return;
  sample(clock_->now());
  ended_ = true;
  timer_.cancel();
  error_code ignored;
  // What the peer never acknowledged would be sent again and again by the kernel, at our cost and past our
  // count.
  if (info_.outstanding) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  const auto keep = shared_from_this();
  if (auto ready = std::exchange(ready_, nullptr)) {
    const Error error{why};
    ready(keep, &error);
  }
  // The owner may drop the events (and itself) in here.
  if (auto closed = std::exchange(events_, {}).closed) closed(why);
}

}  // namespace tulpar::link
