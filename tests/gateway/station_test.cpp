// SPDX-License-Identifier: Apache-2.0
#include "gateway/station.hpp"

#include <sys/stat.h>

#include <fstream>

#include "tests/bridge/fake_broker.hpp"
#include "tests/gateway/station_bench.hpp"

namespace tulpar {
namespace {

using test::FakeBroker;

const std::string kTopic = "msh/EU_868/2/e/LongFast/!0000beef";

config::Rule rule(const std::string& topic, const std::string& cls) {
  config::Rule made;
  made.topic = topic;
  made.cls = cls;
  return made;
}

int mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return static_cast<int>(found.st_mode & 0777);
}

link::LinkMessage arrived(const std::string& topic, const std::string& cls) {
  link::LinkMessage message;
  message.topic = topic;
  message.payload = test::to_bytes("x");
  message.cls = cls;
  return message;
}

struct Sinks : StationBench {
  FakeBroker north{loop}, south{loop};
  bool opened = false;

  ~Sinks() { owned.reset(); }
  void open(const std::vector<std::string>& names) {
    opened = false;
    station().open_sinks(
        names,
        [this, names](std::size_t index, int bit) {
          auto& broker = names[index] == "north" ? north : south;
          return std::make_unique<bridge::MqttSink>(loop, station().clock(), station().runner(),
                                                    station().sink_options(broker.options(), bit));
        },
        [this] { opened = true; });
    REQUIRE(until([&] { return opened; }));
  }
  void start() {
    for (const auto& sink : station().sinks()) sink->start();
  }
  void restart() {
    const StationOptions options = station().options();
    owned.reset();
    owned = std::make_unique<Station>(loop, options, [] {});
  }
  static std::vector<std::string> payloads(const FakeBroker& broker) {
    std::vector<std::string> all;
    for (const auto& packet : broker.seen(test::kPublish)) all.push_back(packet.payload);
    return all;
  }
};

}  // namespace

TEST_CASE_METHOD(Sinks,
                 "Station: a large backlog is loaded in parts, and what is accepted meanwhile comes once") {
  const std::size_t many = queue::Store::kPart + 100;
  write([&](queue::Store& store) {
    store.set_sinks({"north"});
    return store.accept(std::vector(many, message(queue::kEdge, "t", "x")));
  });
  station().open_sinks(
      {"north"},
      [this](std::size_t, int bit) {
        // Stored behind the question for what was there before.
        station().runner().write(
            [](queue::Store& store) { return store.accept(std::vector{message(queue::kEdge, "t", "y")}); },
            [this](const Result<std::vector<queue::Accepted>>& accepted) {
              station().deliver("roof", *accepted);
            });
        return std::make_unique<bridge::MqttSink>(loop, station().clock(), station().runner(),
                                                  station().sink_options(north.options(), bit));
      },
      [this] { opened = true; });
  REQUIRE(until([&] { return opened; }));
  CHECK(station().sinks().front()->status().queued == many + 1);
}

TEST_CASE("Station: a state directory that it makes is the owner's alone") {
  StationBench bench;
  CHECK(mode_of(bench.dir / "state") == 0700);
}

TEST_CASE("Station: a state directory that is there keeps its group, whose members may ask; others go") {
  const queue::TempDir dir;
  boost::asio::io_context loop;
  auto options = default_options();
  options.state_dir = dir / "state";
  REQUIRE(mkdir(options.state_dir.c_str(), 0700) == 0);
  REQUIRE(chmod(options.state_dir.c_str(), 0777) == 0);
  const Station station(loop, options, [] {});
  CHECK(mode_of(options.state_dir) == 0750);
}

TEST_CASE("Station: a start that cannot be is told in words") {
  const queue::TempDir dir;
  boost::asio::io_context loop;
  std::ofstream(dir / "file") << "no store";
  auto options = default_options();
  SECTION("the state directory is a file") {
    options.state_dir = dir / "file/state";
    CHECK_THROWS_WITH(Station(loop, options, [] {}), Contains("cannot make the state directory"));
  }
  SECTION("the store is a folder") {
    options.state_dir = dir / "state";
    std::filesystem::create_directories(dir / "state/queue.db");
    CHECK_THROWS_WITH(Station(loop, options, [] {}), Contains("queue.db"));
  }
  SECTION("a rule names a class that is none") {
    options.state_dir = dir / "state";
    options.rules = {rule("#", "urgent")};
    CHECK_THROWS_WITH(Station(loop, options, [] {}), Contains("urgent"));
  }
}

TEST_CASE("Station: what is no store is moved aside, and a new one is begun") {
  const queue::TempDir dir;
  boost::asio::io_context loop;
  std::ofstream(dir / "queue.db") << std::string(4096, 'x');
  auto options = default_options();
  options.state_dir = dir / "";
  Station station(loop, options, [] {});
  CHECK(std::filesystem::exists(dir / "queue.db.damaged-1"));
  CHECK(station.store_health().ok);
}

TEST_CASE("Station: a message is what its packet says, or else its topic") {
  auto options = default_options();
  options.channels = {{"LongFast", test::kDefaultPsk}};
  options.rules = {rule("mesh/+/sos", "emergency")};
  StationBench bench(options);
  test::Packet packet;
  packet.id = 7;
  const auto text = bench.station().judge(kTopic, test::encrypted(packet));
  CHECK(text.cls == bench.station().class_named("message"));
  CHECK(text.node == "!7efeee00");
  CHECK(text.packet == (std::uint64_t{0x7efeee00} << 32 | 7));
  CHECK(text.payload == test::encrypted(packet));
  const auto sos = bench.station().judge("mesh/hut/sos", test::to_bytes("help"));
  CHECK(sos.cls == queue::kEmergency);
  CHECK(sos.node == "hut");
  CHECK(sos.drop == queue::DropReason::kNone);
}

TEST_CASE("Station: what the other side carried is carried on, in its class, for every sink") {
  Sinks bench;
  bench.open({"north", "south"});
  auto& station = bench.station();
  auto message = arrived(kTopic, "bulk");
  message.payload = mesh_packet(1, 6);  // admin: never carried from the mesh
  REQUIRE(station.judge(kTopic, message.payload).drop == queue::DropReason::kPolicy);
  message.flagged = true;
  message.age_s = 90;
  const auto judged = station.judge_arrived(message);
  CHECK(judged.drop == queue::DropReason::kNone);
  CHECK(judged.peer == queue::kEdge);
  CHECK(judged.cls == station.class_named("bulk"));
  CHECK(judged.kind == 0);
  CHECK(judged.flagged);
  CHECK(judged.age == std::chrono::seconds(90));
  CHECK(judged.sinks == station.sink_mask());
  CHECK(std::popcount(judged.sinks) == 2);
  // A class that only the other side has.
  CHECK(station.judge_arrived(arrived("a/b", "press")).cls == station.class_named("normal"));
  // An SOS is one because the gateway said so: what this node sent before is not counted here again.
  for (int i = 0; i < 10; ++i) {
    const auto sos = station.judge_arrived(arrived("a/b", "emergency"));
    CHECK(sos.cls == queue::kEmergency);
    CHECK_FALSE(sos.flagged);
  }
}

TEST_CASE("Station: who answers over the link was not heard here: what is written back stays a message") {
  StationBench bench;
  auto& station = bench.station();
  const std::uint32_t far = 0x11111111, near = 0x7efeee00;
  auto answer = arrived(kTopic, "message");
  const auto sealed = [](std::uint32_t from, std::uint32_t to) {
    test::Packet packet;
    packet.from = from;
    packet.to = to;
    packet.pki = true;
    return test::envelope_of(packet, 5, "sealed", 0);
  };
  answer.payload = sealed(far, near);
  station.judge_arrived(answer);
  CHECK(station.judge(kTopic, sealed(near, far)).cls == station.class_named("message"));
}

TEST_CASE("Station: rules and keys can change while it runs, the list of classes cannot") {
  StationBench bench;
  auto& station = bench.station();
  const auto judge = [&] { return station.judge("mesh/hut/sos", test::to_bytes("x")).cls; };
  REQUIRE(judge() == station.class_named("normal"));
  auto classes = config::default_classes();
  classes[1].hold = Millis{1};
  REQUIRE(station.reconfigure({}, {rule("mesh/+/sos", "message")}, classes).has_value());
  CHECK(judge() == station.class_named("message"));
  CHECK(station.options().classes[1].hold == Millis{1});

  const auto refused = [&](const auto& channels, const auto& rules, const auto& with) {
    const auto changed = station.reconfigure(channels, rules, with);
    REQUIRE_FALSE(changed.has_value());
    CHECK(judge() == station.class_named("message"));
    return changed.error().message;
  };
  const std::vector<config::Rule> rules = {rule("#", "bulk")};
  const std::vector<config::Channel> none, bad = {{"LongFast", Bytes(40)}};
  CHECK_THAT(refused(none, rules, std::vector(classes.rbegin(), classes.rend())), Contains("restart"));
  CHECK_THAT(refused(none, std::vector{rule("#", "urgent")}, classes), Contains("urgent"));
  CHECK_FALSE(refused(bad, rules, classes).empty());
}

TEST_CASE_METHOD(Sinks, "Station: what arrives goes to every sink, what was not new to none") {
  open({"north", "south"});
  start();
  auto message = station().judge_arrived(arrived(kTopic, "normal"));
  message.payload = mesh_packet(9);
  message.packet = 9;
  auto once = accept(message), again = accept(message);
  REQUIRE(again.duplicate);
  station().deliver("roof", {once, again});
  CHECK(until([&] { return query("SELECT count(*) FROM message WHERE state = 2") == 1; }));
  CHECK(payloads(north).size() == 1);
  CHECK(payloads(south).size() == 1);
}

TEST_CASE_METHOD(Sinks, "Station: after a restart each sink gets what it is owed, also in another order") {
  open({"north", "south"});
  north.on_connect = [this](const auto&) { north.refuse(0x88); };
  start();
  auto message = station().judge_arrived(arrived("a/b", "normal"));
  station().deliver("roof", {accept(message)});
  REQUIRE(until([&] { return query("SELECT owed FROM message") == 1; }));
  restart();
  north.on_connect = [this](const auto&) { north.accept(); };
  open({"south", "north"});
  CHECK(station().sink_names() == std::vector<std::string>{"south", "north"});
  CHECK(station().sinks()[0]->status().queued == 0);
  CHECK(station().sinks()[1]->status().queued == 1);
  start();
  CHECK(until([&] { return query("SELECT count(*) FROM message WHERE state = 2") == 1; }));
  CHECK(payloads(north) == std::vector<std::string>{"x"});
  CHECK(payloads(south) == std::vector<std::string>{"x"});
}

TEST_CASE_METHOD(Sinks, "Station: sinks that cannot be loaded end the start in words") {
  refuse("sink");
  station().open_sinks(
      {"north"}, [](std::size_t, int) -> std::unique_ptr<bridge::MqttSink> { return nullptr; }, [] {});
  CHECK_THROWS_WITH(until([] { return false; }), Contains("cannot load the store"));
}

TEST_CASE("Station: bodies that have had their time are erased, many of them in several rounds") {
  auto options = default_options();
  options.storage.keep_delivered = Millis{0};
  StationBench bench(options);
  bench.write([](queue::Store& store) {
    // Owed to nobody: delivered at once.
    std::vector<queue::NewMessage> many(600, StationBench::message(queue::kEdge, "t", "x"));
    for (auto& one : many) one.sinks = 0;
    return store.accept(many).size();
  });
  auto& station = bench.station();
  CHECK(station.next_wake() <= station.clock().now());
  station.step({});
  CHECK_FALSE(station.next_wake());  // the store's answer wakes it
  REQUIRE(bench.until([&] { return bench.wakes == 1; }));
  CHECK(bench.query("SELECT count(*) FROM body") == 100);
  CHECK(station.next_wake() <= station.clock().now());
  station.step({});
  REQUIRE(bench.until([&] { return bench.wakes == 2; }));
  CHECK(bench.query("SELECT count(*) FROM body") == 0);
  CHECK(*station.next_wake() > station.clock().now());
  station.step({});
  CHECK(station.next_wake());  // nothing was begun: it is not due
}

TEST_CASE("Station: a full store drops the least urgent, of all peers together, and never an SOS") {
  auto options = default_options();
  options.storage.max_size = 10'000;  // 9,500 for all
  StationBench bench(options);
  auto here = bench.load_peer("here", "a"), there = bench.load_peer("there", "b");
  const std::vector<link::LinkPeer*> peers = {here.get(), there.get()};
  const auto waiting = [&](queue::ClassId cls) {
    return here->scheduler().state(cls).queued + there->scheduler().state(cls).queued;
  };
  for (int i = 0; i < 3; ++i) bench.queue_for(*here, std::string(999, 'x'), 4);
  for (int i = 0; i < 2; ++i) bench.queue_for(*there, std::string(999, 'x'), 1);
  for (int i = 0; i < 4; ++i) bench.queue_for(*there, std::string(999, 'x'), 0);
  bench.station().step(peers);
  CHECK(here->scheduler().size() + there->scheduler().size() == 9);
  bench.queue_for(*here, std::string(999, 'x'), 2);
  bench.station().step(peers);
  CHECK(here->scheduler().size() + there->scheduler().size() == 9);
  for (int i = 0; i < 9; ++i) bench.queue_for(*there, std::string(999, 'x'), 0);
  bench.station().step(peers);
  CHECK(waiting(0) == 13);
  CHECK(here->scheduler().size() + there->scheduler().size() == 13);
  CHECK(bench.until([&] { return bench.query("SELECT sum(dropped) FROM book") == 6; }));
  CHECK(bench.query("SELECT sum(count) FROM drops WHERE reason = 2") == 6);
}

}  // namespace tulpar
