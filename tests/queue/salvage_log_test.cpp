// SPDX-License-Identifier: Apache-2.0
//
// Damage of the write-ahead log: what SQLite alone would take for the log's end, and lose what follows.
#include "queue/salvage_pages.hpp"
#include "tests/queue/salvage_fixture.hpp"

namespace tulpar::queue {
namespace {

constexpr std::size_t kHeader = 32, kFrameHead = 24, kFrame = kFrameHead + SalvageFixture::kPage;

// A store that was killed with its last 40 transactions in the log, one message each.
struct Fixture : SalvageFixture {
  std::string file, log;
  std::vector<std::string> topics;

  Fixture() {
    fill(60);
    store->database().execute("PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 0; i < 40; ++i) {
      topics.push_back("late/" + std::to_string(i));
      last_number =
          std::max(last_number, accept(message(topics.back(), "text " + std::to_string(i))).entry.number);
    }
    last_id = query("SELECT max(id) FROM message");
    file = read_file(path);
    log = read_file(path + "-wal");
    store.reset();
  }
  std::optional<Salvaged> open_with(const std::string& damaged_log) {
    store.reset();
    std::filesystem::remove(path + "-shm");
    write_file(path, file);
    write_file(path + "-wal", damaged_log);
    return reopen_damaged();
  }
  std::size_t frames() const { return (log.size() - kHeader) / kFrame; }
  bool there(const std::string& topic) {
    Statement row(store->database(),
                  "SELECT 1 FROM message m JOIN body b ON b.id = m.id WHERE topic = ?1 AND state < 2");
    return row(topic).step();
  }
  int late() {
    return static_cast<int>(
        std::count_if(topics.begin(), topics.end(), [&](auto& topic) { return there(topic); }));
  }
  static std::string flipped(std::string bytes, std::size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    return bytes;
  }
  // Pages of the frames of transactions before the last, and of the last.
  std::size_t first_frame_of_last() const {
    std::size_t last = 0, before = 0;
    for (std::size_t i = 0; i < frames(); ++i)
      if (read_u32(as_bytes(log).subspan(kHeader + i * kFrame + 4))) {
        before = last;
        last = i + 1;
      }
    return before;
  }
};

TEST_CASE_METHOD(Fixture, "A whole log is played back as ever") {
  CHECK_FALSE(open_with(log));
  CHECK(late() == 40);
}

TEST_CASE_METHOD(Fixture, "A log that ends in the middle is a power cut, not damage") {
  const std::size_t end = kHeader + first_frame_of_last() * kFrame;
  for (const std::size_t more : {std::size_t{0}, std::size_t{10}, kFrame - 1}) {
    CHECK_FALSE(open_with(log.substr(0, end + more)));
    CHECK(late() == 39);
  }
  // What was torn of the last transaction, its end on disk before its beginning.
  CHECK_FALSE(open_with(flipped(log, end + 100)));
  CHECK(late() == 39);
}

TEST_CASE_METHOD(Fixture, "A log of something else, and remains of an older one, are no damage") {
  CHECK_FALSE(open_with(std::string(20'000, '\x5a')));
  CHECK(late() == 0);
  std::string older = log.substr(0, kHeader + 8 * kFrame);
  for (std::size_t i = 8; i < frames(); ++i) {
    std::string frame = log.substr(kHeader + i * kFrame, kFrame);
    frame[8] = static_cast<char>(frame[8] ^ 1);  // its salt
    older += frame;
  }
  CHECK_FALSE(open_with(older));
}

TEST_CASE_METHOD(Fixture, "A torn frame costs its page's last change, not the transactions behind it") {
  const std::size_t end = first_frame_of_last();
  for (std::size_t i = 0; i < end; ++i) {
    for (const std::size_t at : {std::size_t{2}, kFrameHead + 1000, kFrame - 5}) {
      INFO("frame " << i << ", byte " << at);
      const auto salvaged = open_with(flipped(log, kHeader + i * kFrame + at));
      REQUIRE(salvaged);
      REQUIRE(salvaged->why.find("write-ahead log") != std::string::npos);
      check_sound();
      check_numbers();
      // The page comes again in a later frame, or an older one of it holds all but the last row; or it is half
      // of a page that was split just then.
      CHECK(late() >= 20);
      CHECK(there(topics.back()));
      std::filesystem::remove(salvaged->aside);
      std::filesystem::remove(salvaged->aside + "-wal");
    }
  }
}

TEST_CASE_METHOD(Fixture, "A log whose header is torn is read by its frames") {
  for (const std::size_t at : {0, 3, 9, 17, 25}) {
    INFO("byte " << at);
    const auto salvaged = open_with(flipped(log, at));
    REQUIRE(salvaged);
    CHECK(late() == 40);
    check_sound();
  }
}

TEST_CASE_METHOD(Fixture, "The damaged files stay as they were, the log beside its file") {
  const std::string damaged = flipped(log, kHeader + 3 * kFrame + 50);
  const auto salvaged = open_with(damaged);
  REQUIRE(salvaged);
  CHECK(salvaged->aside == path + ".damaged-1");
  CHECK(read_file(salvaged->aside) == file);
  CHECK(read_file(salvaged->aside + "-wal") == damaged);
}

TEST_CASE_METHOD(Fixture, "A log without its file is played back, too") {
  file.clear();
  SECTION("which is empty") { REQUIRE(open_with(log)); }
  SECTION("which is gone") {
    store.reset();
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-shm");
    write_file(path + "-wal", log);
    REQUIRE(reopen_damaged());
  }
  check_sound();
  // Their peer's name is older than the last checkpoint, and lost: they are known to be lost.
  CHECK(query("SELECT count(*) FROM message WHERE topic LIKE 'late/%'") == 40);
}

}  // namespace
}  // namespace tulpar::queue
