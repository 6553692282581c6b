// SPDX-License-Identifier: Apache-2.0
//
// A station whose disk is full, or whose store is damaged.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "tests/gateway/station_bench.hpp"
#include "tests/queue/small_disk.hpp"

namespace tulpar {
namespace {

namespace fs = std::filesystem;

using Catch::Matchers::Contains;

// What is logged while one of these lives.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~Log() { spdlog::set_default_logger(before_); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

struct Fixture : StationBench {
  Log log;
  void restart() {
    const StationOptions options = station().options();
    owned.reset();
    loop.restart();
    loop.poll();
    owned = std::make_unique<Station>(loop, options, [] {});
  }
  std::string file() { return station().store_file(); }
};

TEST_CASE_METHOD(Fixture, "Station: a damaged store is salvaged at the start, loudly") {
  const auto peer = load_peer("relay", "sat");
  for (int i = 0; i < 50; ++i) accept(message(peer->id(), "t", std::string(500, 'x')));
  CHECK(station().store_note().empty());
  const StationOptions options = station().options();
  const std::string path = file();
  owned.reset();
  {
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(0);
    out << std::string(4096, 'x');
  }
  owned = std::make_unique<Station>(loop, options, [] {});
  CHECK_THAT(station().store_note(),
             Contains("50 waiting messages were saved") && Contains("queue.db.damaged-1"));
  CHECK_THAT(log.text(), Contains("[error] The store's file was damaged"));
  CHECK(query("SELECT count(*) FROM message WHERE state = 0") == 50);
  restart();
  CHECK(station().store_note().empty());
}

TEST_CASE_METHOD(Fixture, "Station: damaged files beyond their bounds are deleted while it runs, loudly") {
  for (int number = 1; number <= 4; ++number)
    std::ofstream(file() + ".damaged-" + std::to_string(number)) << "x";
  station().step({});
  REQUIRE(until([&] { return log.text().find("is deleted") != std::string::npos; }));
  CHECK_THAT(log.text(), Contains("[warning] " + file() + ".damaged-1, a damaged store's file of 1 bytes"));
  CHECK_FALSE(fs::exists(file() + ".damaged-1"));
  CHECK(fs::exists(file() + ".damaged-2"));
}

TEST_CASE_METHOD(Fixture, "Station: on a full disk damaged files make room, one at a time, loudly") {
  for (int number = 1; number <= 2; ++number)
    std::ofstream(file() + ".damaged-" + std::to_string(number)) << "x";
  const auto meet = [this](int code) {
    bool answered = false;
    station().runner().write([=](queue::Store&) { throw queue::StoreError("INSERT", code); },
                             [&](const Result<void>&) { answered = true; });
    REQUIRE(until([&] { return answered; }));
    test::settle(loop);
  };
  meet(SQLITE_IOERR_WRITE);
  CHECK(fs::exists(file() + ".damaged-1"));
  meet(SQLITE_FULL);
  REQUIRE(until([&] { return log.text().find("damaged-1, a damaged store's") != std::string::npos; }));
  CHECK_THAT(log.text(), Contains("is deleted: the disk is full"));
  CHECK_FALSE(fs::exists(file() + ".damaged-1"));
  CHECK(fs::exists(file() + ".damaged-2"));
  meet(SQLITE_FULL);
  CHECK(until([&] { return !fs::exists(file() + ".damaged-2"); }));
  meet(SQLITE_FULL);  // there are none left
}

TEST_CASE_METHOD(Fixture, "Station: damage that is met in use ends the program, and the next start salvages") {
  const auto peer = load_peer("relay", "sat");
  accept(message(peer->id(), "t", "x"));
  const auto met = [](auto&) { throw queue::StoreError("SELECT", SQLITE_CORRUPT_INDEX); };
  SECTION("by the writer") {
    station().runner().write([=](queue::Store& store) { met(store); }, [](const Result<void>&) {});
  }
  SECTION("by a reader") {
    station().runner().read([=](queue::StoreReader& reader) { met(reader); }, [](const Result<void>&) {});
  }
  SECTION("by the writer, with more waiting behind it") {
    std::promise<void> gate;
    station().runner().post([&](queue::Store&) { gate.get_future().wait(); });
    station().runner().post([=](queue::Store& store) { met(store); });
    bool acknowledged = false;
    const auto late = message(peer->id(), "late", "x");
    station().runner().write([&](queue::Store& store) { return store.accept(std::span(&late, 1)); },
                             [&](const auto& result) { acknowledged = acknowledged || result; });
    gate.set_value();
    CHECK_THROWS_WITH(until([] { return false; }), Contains("queue.db is damaged") && Contains("next start"));
    restart();  // its threads have ended by then, and said all that they had to
    CHECK_FALSE(acknowledged);
    CHECK(query("SELECT count(*) FROM message WHERE topic = 'late'") == 0);
    return;
  }
  CHECK_THROWS_WITH(until([] { return false; }), Contains("queue.db is damaged") && Contains("next start"));
  restart();
  CHECK_FALSE(station().store_note().empty());
  CHECK(query("SELECT count(*) FROM message WHERE state = 0") == 1);
}

TEST_CASE_METHOD(Fixture, "Station: damage that cannot be noted is told with what is in the way") {
  fs::create_directory(file() + ".suspect");
  station().runner().post([](queue::Store&) { throw queue::StoreError("SELECT", SQLITE_CORRUPT_INDEX); });
  CHECK_THROWS_WITH(until([] { return false; }), Contains("queue.db is damaged") &&
                                                     Contains("may not see it") &&
                                                     Contains("queue.db.suspect"));
}

TEST_CASE_METHOD(Fixture, "Station: a disk that fails is not taken for a damaged file") {
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_READ, SQLITE_READONLY}) {
    bool done = false;
    station().runner().write([=](queue::Store&) { throw queue::StoreError("INSERT", code); },
                             [&](const Result<void>&) { done = true; });
    REQUIRE(until([&] { return done; }));
  }
  restart();
  CHECK(station().store_note().empty());
}

TEST_CASE("Station: a full disk does not keep it from starting") {
  const queue::SmallDisk disk("32m");
  if (!disk.mounted()) {
    WARN("skipped: needs root, to mount a small file system");
    return;
  }
  boost::asio::io_context loop;
  Log log;
  StationOptions options = default_options();
  options.state_dir = disk / "state";
  {
    Station first(loop, options, [] {});
  }
  CHECK(std::filesystem::file_size(disk / "state/ballast") == queue::Ballast::kSize);
  disk.fill();
  {
    Station second(loop, options, [] {});
    CHECK_FALSE(std::filesystem::exists(disk / "state/ballast"));
    CHECK_THAT(log.text(), Contains("starting with the last 1024 KiB of the disk"));
    bool stored = false;
    const auto one = StationBench::message(queue::kEdge, "t", "x");
    second.runner().write([&](queue::Store& store) { return store.accept(std::span(&one, 1)); },
                          [&](const auto& result) { stored = result.has_value(); });
    CHECK(test::run_until(loop, [&] { return stored; }));
  }
  disk.clear();
  Station third(loop, options, [] {});
  CHECK(std::filesystem::exists(disk / "state/ballast"));
}

}  // namespace
}  // namespace tulpar
