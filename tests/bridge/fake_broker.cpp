// SPDX-License-Identifier: Apache-2.0
#include "tests/bridge/fake_broker.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <string_view>
#include <utility>

namespace tulpar::test {
namespace asio = boost::asio;
using asio::local::stream_protocol;

namespace {

// Lost connections are these tests' daily bread.
[[maybe_unused]] const bool kQuiet = [] {
  spdlog::set_level(spdlog::level::off);
  return true;
}();

void put16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void put_string(Bytes& out, std::string_view text) {
  put16(out, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

class Reader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}
  int byte() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }
  int number() {
    const int high = byte();
    return high << 8 | byte();
  }
  std::string string() { return take(static_cast<std::size_t>(number())); }
  std::string rest() { return take(bytes_.size() - at_); }
  std::string take(std::size_t size) {
    std::string text;
    while (size-- > 0 && at_ < bytes_.size()) text += static_cast<char>(bytes_[at_++]);
    return text;
  }

 private:
  const Bytes& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

FakeBroker::FakeBroker(asio::io_context& loop) : loop_(loop), acceptor_(loop, dir_ / "sock") { listen(); }

FakeBroker::~FakeBroker() {
  acceptor_.close();
  hang_up();
  // Its handlers refer to it.
  loop_.restart();
  loop_.poll();
}

bridge::MqttOptions FakeBroker::options(const std::string& id) const {
  return {.host = dir_ / "sock", .port = 0, .client_id = id};
}

void FakeBroker::listen() {
  acceptor_.async_accept([this](const boost::system::error_code& ec, stream_protocol::socket socket) {
    if (ec) return;
    ++connections_;
    socket.non_blocking(true);
    socket_ = std::make_shared<Socket>(std::move(socket));
    out_.clear();
    read(socket_);
    listen();
  });
}

void FakeBroker::read(std::shared_ptr<Socket> socket) {
  auto chunk = std::make_shared<Bytes>(4096);
  auto buffer = std::make_shared<Bytes>();
  auto next = std::make_shared<std::function<void()>>();
  *next = [this, socket, chunk, buffer, weak = std::weak_ptr(next)] {
    socket->async_read_some(
        asio::buffer(*chunk), [this, socket, chunk, buffer, next = weak.lock()](auto ec, std::size_t size) {
          if (ec) {
            if (socket == socket_) socket_.reset();
            return;
          }
          buffer->insert(buffer->end(), chunk->begin(), chunk->begin() + static_cast<std::ptrdiff_t>(size));
          while (take_packet(*buffer)) {
          }
          if (next && socket->is_open()) (*next)();
        });
  };
  (*next)();
}

bool FakeBroker::take_packet(Bytes& buffer) {
  std::size_t length = 0, at = 1, shift = 0;
  do {
    if (at >= buffer.size()) return false;
    length |= static_cast<std::size_t>(buffer[at] & 127) << shift;
    shift += 7;
  } while (buffer[at++] & 128);
  if (buffer.size() < at + length) return false;
  const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(at);
  Bytes body(begin, begin + static_cast<std::ptrdiff_t>(length));
  const int head = buffer[0];
  buffer.erase(buffer.begin(), begin + static_cast<std::ptrdiff_t>(length));
  handle(head >> 4, head & 15, std::move(body));
  return true;
}

void FakeBroker::handle(int type, int flags, Bytes body) {
  BrokerPacket packet{.type = type, .body = body};
  Reader reader(body);
  if (type == kConnect) {
    reader.string();
    version_ = reader.byte();
    packet.clean_start = (reader.byte() & 2) != 0;
  } else if (type == kPublish) {
    packet.topic = reader.string();
    if (flags & 6) packet.mid = reader.number();
    if (version_ == 5 && reader.byte() != 0 && reader.byte() == 0x26 && reader.string() == "tulpar-id") {
      packet.tulpar_id = reader.string();
    }
    packet.payload = reader.rest();
  } else if (type == kPuback || type == kSubscribe) {
    packet.mid = reader.number();
  }
  packet.version = version_;
  packets.push_back(packet);
  if (type == kConnect) return on_connect(packet);
  if (type == kPublish) return on_publish(packet);
  if (type != kSubscribe) return;
  Bytes answer;
  put16(answer, static_cast<std::size_t>(packet.mid));
  if (version_ == 5) answer.push_back(0);
  answer.push_back(grant);
  send(kSuback << 4, answer);
}

void FakeBroker::send(std::uint8_t head, const Bytes& body) {
  if (!socket_) return;
  Bytes packet{head};
  std::size_t left = body.size();
  do {
    packet.push_back(static_cast<std::uint8_t>(left % 128 | (left >= 128 ? 128 : 0)));
    left /= 128;
  } while (left);
  out_.insert(out_.end(), packet.begin(), packet.end());
  out_.insert(out_.end(), body.begin(), body.end());
  flush();
}

// At once as much as fits: what follows may be hang_up(). The client is in this loop, so this must not block.
void FakeBroker::flush() {
  boost::system::error_code ec;
  const std::size_t size = socket_->write_some(asio::buffer(out_), ec);
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(size));
  if (out_.empty() || (ec && ec != asio::error::would_block) || waiting_) return;
  waiting_ = true;
  socket_->async_wait(Socket::wait_write, [this, socket = socket_](const boost::system::error_code& gone) {
    waiting_ = false;
    if (!gone && socket == socket_) flush();
  });
}

void FakeBroker::accept(bool resumed, const Bytes& properties) {
  Bytes body{static_cast<std::uint8_t>(resumed), 0};
  if (version_ == 5) {
    body.push_back(static_cast<std::uint8_t>(properties.size()));
    body.insert(body.end(), properties.begin(), properties.end());
  }
  send(kConnack << 4, body);
}

void FakeBroker::refuse(std::uint8_t reason) {
  // An old broker answers in its own version, without properties.
  send(kConnack << 4, reason >= 0x80 ? Bytes{0, reason, 0} : Bytes{0, reason});
  hang_up();
}

void FakeBroker::acknowledge(int mid, std::uint8_t reason) {
  Bytes body;
  put16(body, static_cast<std::size_t>(mid));
  if (reason) body.push_back(reason);
  send(kPuback << 4, body);
}

void FakeBroker::publish(const std::string& topic, const std::string& payload, int mid,
                         const std::string& tulpar_id, bool retain) {
  Bytes body, properties;
  put_string(body, topic);
  if (mid) put16(body, static_cast<std::size_t>(mid));
  if (!tulpar_id.empty()) {
    properties.push_back(0x26);
    put_string(properties, "tulpar-id");
    put_string(properties, tulpar_id);
  }
  if (version_ == 5) {
    body.push_back(static_cast<std::uint8_t>(properties.size()));
    body.insert(body.end(), properties.begin(), properties.end());
  }
  body.insert(body.end(), payload.begin(), payload.end());
  send(static_cast<std::uint8_t>(kPublish << 4 | (mid ? 2 : 0) | (retain ? 1 : 0)), body);
}

void FakeBroker::say_goodbye(std::uint8_t reason) {
  send(kDisconnect << 4, {reason, 0});
  hang_up();
}

void FakeBroker::hang_up() {
  if (!socket_) return;
  boost::system::error_code ignored;
  socket_->shutdown(stream_protocol::socket::shutdown_both, ignored);
  socket_->close(ignored);
  socket_.reset();
}

std::vector<BrokerPacket> FakeBroker::seen(int type) const {
  std::vector<BrokerPacket> found;
  std::copy_if(packets.begin(), packets.end(), std::back_inserter(found),
               [type](const BrokerPacket& packet) { return packet.type == type; });
  return found;
}

}  // namespace tulpar::test
