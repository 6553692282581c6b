// SPDX-License-Identifier: Apache-2.0
//
// A Station on a loop, with a store of its own that can be made to fail, for the tests of the programs' parts.
//
// The station has its own two threads and the machine's clock: until() turns the loop until something is so,
// and no test asserts how long that took.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "gateway/station.hpp"
#include "tests/bridge/mesh.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar {

inline StationOptions default_options() {
  StationOptions options;
  options.classes = config::default_classes();
  return options;
}

// A Meshtastic packet as a node of the mesh publishes it in clear; port 1 is a text, 6 is admin.
inline Bytes mesh_packet(std::uint32_t id, std::uint32_t port = 1) {
  test::Packet packet;
  packet.id = id;
  packet.port = port;
  return test::decoded(packet);
}

struct StationBench {
  queue::TempDir dir;
  boost::asio::io_context loop;
  int wakes = 0;
  std::unique_ptr<Station> owned;

  explicit StationBench(StationOptions options = default_options()) {
    options.state_dir = dir / "state";
    owned = std::make_unique<Station>(loop, std::move(options), [this] { ++wakes; });
  }
  Station& station() { return *owned; }

  template <class Condition>
  bool until(Condition condition) {
    return test::run_until(loop, condition);
  }
  // One operation on the store, committed.
  template <class Run>
  auto write(Run run) {
    using Value = std::invoke_result_t<Run&, queue::Store&>;
    std::optional<Result<Value>> answer;
    station().runner().write(std::move(run), [&](Result<Value> result) { answer = std::move(result); });
    REQUIRE(until([&] { return answer.has_value(); }));
    return std::move(*answer).value();
  }
  // As another process sees the file: what is committed.
  std::int64_t query(const std::string& sql) {
    return queue::Database(station().store_file(), queue::Database::Mode::kReadOnly).query_int(sql);
  }
  void meddle(const std::string& sql) {
    queue::Database(station().store_file(), queue::Database::Mode::kReadWrite).execute(sql);
  }
  // The disk takes no new row of that table, or takes them again.
  void refuse(const std::string& table) {
    meddle("CREATE TRIGGER refuse BEFORE INSERT ON " + table +
           " BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END");
  }
  void relent() { meddle("DROP TRIGGER refuse"); }
  // Lists, stories and figures cannot be read, or can again.
  void hide_classes() { meddle("ALTER TABLE class RENAME TO hidden"); }
  void show_classes() { meddle("ALTER TABLE hidden RENAME TO class"); }

  queue::Accepted accept(queue::NewMessage message) {
    return write([&](queue::Store& store) { return store.accept(std::span(&message, 1)).front(); });
  }
  static queue::NewMessage message(queue::PeerId peer, const std::string& topic, const std::string& payload,
                                   queue::ClassId cls = 2) {
    queue::NewMessage made;
    made.peer = peer;
    made.cls = cls;
    made.node = "n";
    made.topic = topic;
    made.payload = Bytes(payload.begin(), payload.end());
    if (peer == queue::kEdge) made.sinks = 1;
    return made;
  }
  std::unique_ptr<link::LinkPeer> load_peer(const std::string& name, const std::string& link) {
    std::unique_ptr<link::LinkPeer> loaded;
    link::PeerHooks hooks{
        .classify = [this](link::LinkMessage arrived) { return station().judge_arrived(std::move(arrived)); },
        .arrived = [](const auto&) {},
        .settled = [] {},
        .disconnected = [](const std::string&) {},
        .wake = [] {}};
    link::LinkPeer::load(
        station().runner(), station().codec(), station().clock(),
        {.name = name, .link = link, .classes = station().options().classes, .initiator = true},
        std::move(hooks), [&](auto peer) { loaded = std::move(peer.value()); });
    REQUIRE(until([&] { return loaded != nullptr; }));
    return loaded;
  }
  // Stored and waiting for that peer.
  queue::Entry queue_for(link::LinkPeer& peer, const std::string& payload, queue::ClassId cls = 2) {
    const auto entry = accept(message(peer.id(), "t", payload, cls)).entry;
    peer.add(entry);
    return entry;
  }
};

}  // namespace tulpar
