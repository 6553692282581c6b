// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage.hpp"

#include "tests/queue/salvage_fixture.hpp"

namespace tulpar::queue {
namespace {

struct Fixture : SalvageFixture {
  std::string file;
  Fixture() {
    fill(120);
    file = close();
  }
  std::string with_page(std::size_t page, const std::string& bytes) const {
    return std::string(file).replace((page - 1) * kPage, bytes.size(), bytes);
  }
  int pages() const { return static_cast<int>(file.size() / kPage); }
};

TEST_CASE_METHOD(Fixture, "A sound store is opened as it is") {
  CHECK_FALSE(open_damaged(file));
  CHECK(lost_besides({}) == 0);
  CHECK_FALSE(std::filesystem::exists(path + ".damaged-1"));
}

TEST_CASE_METHOD(Fixture, "Whichever page is lost, no message is that has nothing on it") {
  const std::string garbage(kPage, '\x55'), zeros(kPage, '\0');
  for (int page = 1; page <= pages(); ++page) {
    INFO("page " << page);
    const auto salvaged = open_damaged(with_page(static_cast<std::size_t>(page), page % 2 ? garbage : zeros));
    CHECK(lost_besides({static_cast<std::size_t>(page)}) == 0);
    if (!salvaged) {
      REQUIRE(plain_bytes.contains(static_cast<std::size_t>(page)));
      continue;
    }
    check_sound();
    CHECK(salvaged->mended.waiting + salvaged->mended.lost.all >= std::ssize(waiting));
    check_numbers();
    std::filesystem::remove(salvaged->aside);
  }
}

TEST_CASE_METHOD(Fixture, "The file's beginning is lost, with all roots and names") {
  // Eight pages of 16 KiB of flash: where every table begins.
  std::set<std::size_t> damaged;
  std::string bytes = file;
  for (std::size_t page = 1; page <= 32; ++page) {
    damaged.insert(page);
    bytes.replace((page - 1) * kPage, kPage, kPage, '\0');
  }
  REQUIRE(open_damaged(bytes));
  check_sound();
  // Of two peers nobody knows which was which: only what is for the sinks can go on.
  for (const auto& [topic, was] : waiting) {
    const bool hit =
        std::any_of(was.pages.begin(), was.pages.end(), [&](auto page) { return damaged.contains(page); });
    if (was.peer.empty() && !hit) CHECK(waits(topic));
  }
  CHECK(query("SELECT count(*) FROM message WHERE state < 2 AND peer != 0") == 0);
}

TEST_CASE("A gateway's only peer keeps its messages though its name is lost") {
  StoreFixture fixture;
  for (int i = 0; i < 30; ++i) fixture.accept(fixture.message("t", "hello"));
  const auto root = fixture.query("SELECT rootpage FROM sqlite_schema WHERE name = 'peer'");
  const auto names = fixture.query("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_peer_1'");
  fixture.store.reset();
  std::string bytes = read_file(fixture.path);
  for (const auto page : {root, names})
    bytes.replace(static_cast<std::size_t>(page - 1) * 4096, 4096, std::string(4096, '\0'));
  write_file(fixture.path, bytes);
  fixture.store = open_store(fixture.path, fixture.clock);
  const auto again = fixture.run([](Store& s) { return s.peer("relay"); });
  CHECK(again == fixture.peer);
  CHECK(fixture.run([&](Store& s) { return s.load_send(again); }).queued.size() == 30);
}

TEST_CASE_METHOD(Fixture, "Damage of the file as a whole") {
  SECTION("only half of it is there") {
    REQUIRE(open_damaged(file.substr(0, file.size() / 2)));
    std::set<std::size_t> gone;
    for (std::size_t page = file.size() / 2 / kPage + 1; page <= file.size() / kPage; ++page) gone.insert(page);
    CHECK(lost_besides(gone) == 0);
  }
  SECTION("it ends in the middle of a page") {
    REQUIRE(open_damaged(file.substr(0, file.size() - 100)));
    CHECK(lost_besides({file.size() / kPage}) == 0);
  }
  SECTION("it is empty: a power cut in a store's first moment leaves it so, and nothing can be saved of it") {
    CHECK_FALSE(open_damaged(""));
    CHECK(query("SELECT count(*) FROM message") == 0);
  }
  SECTION("it is something else") {
    std::string noise(50'000, '\0');
    unsigned state = 1;
    for (char& c : noise) c = static_cast<char>((state = state * 1'103'515'245 + 12'345) >> 16);
    REQUIRE(open_damaged(noise));
    CHECK(query("SELECT count(*) FROM message") == 0);
  }
  SECTION("its header says what is not so") {
    std::string bytes = file;
    bytes.replace(16, 84, 84, '\xff');
    REQUIRE(open_damaged(bytes));
    CHECK(lost_besides({}) == 0);
  }
  check_sound();
}

TEST_CASE_METHOD(Fixture, "A newer version's file is never touched") {
  std::string bytes = with_page(9, std::string(kPage, '\x55'));
  bytes[63] = 99;  // user_version
  write_file(path, bytes);
  const auto opened = Store::open(path, kClassNames, clock);
  REQUIRE(opened.has_error());
  CHECK(opened.error().message.find("version 99") != std::string::npos);
  CHECK(read_file(path) == bytes);
}

TEST_CASE_METHOD(Fixture, "Damage that was met in use is salvaged at the next start, once") {
  write_file(path, file);
  REQUIRE(note_damage(path, "SELECT x: database disk image is malformed").has_value());
  const auto salvaged = reopen_damaged();
  REQUIRE(salvaged);
  CHECK(salvaged->why == "SELECT x: database disk image is malformed");
  CHECK(salvaged->mended.waiting == std::ssize(waiting));
  CHECK(salvaged->mended.lost.all == 0);
  CHECK(lost_besides({}) == 0);
  store.reset();
  CHECK_FALSE(reopen_damaged());
}

TEST_CASE_METHOD(Fixture, "A note about a file that the operator has taken away is forgotten with it") {
  REQUIRE(note_damage(path, "old").has_value());
  std::filesystem::remove(path);
  CHECK_FALSE(reopen_damaged());
  store.reset();
  CHECK_FALSE(reopen_damaged());
}

TEST_CASE_METHOD(Fixture, "Three damaged files are kept at most, none is overwritten") {
  for (int i = 1; i <= 5; ++i) {
    const auto salvaged = open_damaged(with_page(20, std::string(kPage, static_cast<char>('a' + i))));
    REQUIRE(salvaged);
    CHECK(salvaged->aside == path + ".damaged-" + std::to_string(i));
    CHECK(salvaged->removed.size() == (i > 3 ? 1 : 0));
    CHECK(read_file(salvaged->aside)[19 * kPage] == 'a' + i);
  }
  for (int i = 1; i <= 5; ++i)
    CHECK(std::filesystem::exists(path + ".damaged-" + std::to_string(i)) == (i > 2));
}

TEST_CASE_METHOD(Fixture, "A crash between the steps of a salvage is made good by the next start") {
  const std::string damaged = with_page(20, std::string(kPage, 'x'));
  REQUIRE(open_damaged(damaged));
  store.reset();
  const std::string saved = read_file(path);
  std::filesystem::remove(path + ".damaged-1");
  SECTION("while the new file was written: it is begun again") {
    write_file(path + ".salvaged", saved.substr(0, 9000));
    REQUIRE(open_damaged(damaged));
  }
  SECTION("when the damaged one was moved: the new one is whole") {
    std::filesystem::rename(path, path + ".salvaged");
    write_file(path + ".damaged-1", damaged);
    write_file(path + "-wal", "its log");
    CHECK_FALSE(reopen_damaged());
    CHECK(read_file(path + ".damaged-1-wal") == "its log");
  }
  CHECK(lost_besides({20}) == 0);
  CHECK_FALSE(std::filesystem::exists(path + ".salvaged"));
  check_sound();
}

TEST_CASE_METHOD(Fixture, "What a peer has sent is remembered, unless its marks were hit") {
  const auto root = GENERATE("peer", "received", "closed", "seen");
  store = open_store(path, clock);
  const auto page = *roots({root}).begin();
  REQUIRE(open_damaged(with_page(page, std::string(kPage, '\0'))));
  const auto received = run([&](Store& s) { return s.load_receive(peer); });
  const bool kept = std::string(root) == "seen";
  CHECK(received.incarnation == (kept ? 77 : 0));
  CHECK(received.numbers.low() == (kept ? 3 : 1));
  CHECK(received.batches.contains(9) == kept);
  CHECK(received.history.empty());
}

TEST_CASE_METHOD(Fixture, "What was lost is counted by class, and the operator is told") {
  // The bodies' tree and its leaves; what has an empty payload has a body, too.
  std::string bytes = file;
  std::set<std::size_t> leaves;
  for (const auto& [topic, was] : waiting)
    if (was.cls == "emergency") leaves.insert(was.pages.begin(), was.pages.end());
  for (const auto page : leaves) bytes.replace((page - 1) * kPage, kPage, kPage, '\0');
  const auto salvaged = open_damaged(bytes);
  REQUIRE(salvaged);
  const auto emergencies = query("SELECT sum(count) FROM drops WHERE reason = 7 AND class = 1");
  const auto all = query("SELECT sum(count) FROM drops WHERE reason = 7");
  CHECK(emergencies > 0);
  CHECK(salvaged->mended.lost.all == all);
  CHECK(salvaged->mended.lost.emergencies == emergencies);
  CHECK(salvaged->mended.waiting + all == std::ssize(waiting));
  const std::string words = salvaged->words();
  CHECK(words.find(std::to_string(all) + " could not be read") != std::string::npos);
  CHECK(words.find(std::to_string(emergencies) + " of them were emergencies") != std::string::npos);
  CHECK(words.find(salvaged->aside) != std::string::npos);
}

}  // namespace
}  // namespace tulpar::queue
