// SPDX-License-Identifier: Apache-2.0
//
// A broker that does what the test says: takes connections on a Unix socket, records each packet, answers by
// script. It knows as much MQTT 5 and 3.1.1 as our client uses.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt_handle.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::test {

enum PacketType : int {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kSubscribe = 8,
  kSuback = 9,
  kDisconnect = 14,
};

struct BrokerPacket {
  int type = 0;
  int version = 0;  // of the connection that it came on
  bool clean_start = false;
  int mid = 0;
  std::string topic{}, payload{}, tulpar_id{};
  Bytes body{};
};

class FakeBroker {
 public:
  explicit FakeBroker(boost::asio::io_context& loop);
  ~FakeBroker();

  // What to do with a CONNECT; by default it is taken.
  std::function<void(const BrokerPacket&)> on_connect = [this](const BrokerPacket&) { accept(); };
  // A PUBLISH; by default it is acknowledged.
  std::function<void(const BrokerPacket&)> on_publish = [this](const BrokerPacket& packet) {
    acknowledge(packet.mid);
  };
  // A SUBSCRIBE; by default QoS 1 is granted.
  std::uint8_t grant = 1;

  void accept(bool resumed = false, const Bytes& properties = {});
  void refuse(std::uint8_t reason);
  void acknowledge(int mid, std::uint8_t reason = 0);
  void publish(const std::string& topic, const std::string& payload, int mid, const std::string& tulpar_id = "",
               bool retain = false);
  void say_goodbye(std::uint8_t reason);
  // Closes the connection that is open.
  void hang_up();

  int connections() const { return connections_; }
  bool connected() const { return socket_ != nullptr; }
  std::vector<BrokerPacket> seen(int type) const;
  std::vector<BrokerPacket> packets;  // in their order
  bridge::MqttOptions options(const std::string& id = "client") const;

 private:
  using Socket = boost::asio::local::stream_protocol::socket;
  void listen();
  void read(std::shared_ptr<Socket> socket);
  bool take_packet(Bytes& buffer);
  void handle(int type, int flags, Bytes body);
  void send(std::uint8_t head, const Bytes& body);
  void flush();

  boost::asio::io_context& loop_;
  queue::TempDir dir_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::shared_ptr<Socket> socket_;
  Bytes out_;  // what did not fit into the socket
  bool waiting_ = false;
  int connections_ = 0;
  int version_ = 5;
};

}  // namespace tulpar::test
