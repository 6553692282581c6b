// SPDX-License-Identifier: Apache-2.0
//
// Random damage of random pages: a store opens whatever became of its file, and loses nothing that was not hit.
// TULPAR_SALVAGE_RUNS=5000 makes it thorough; run N of it is seed N.
#include <cstdlib>
#include <random>

#include "queue/salvage_pages.hpp"
#include "tests/queue/salvage_fixture.hpp"

namespace tulpar::queue {
namespace {

class Damage {
 public:
  Damage(std::string bytes, unsigned seed) : bytes_(std::move(bytes)), random_(seed) {}

  void once() {
    const std::size_t page = below(pages());
    hit_.insert(page + 1);
    switch (below(6)) {
      case 0:
        return fill(page, 0, kPage, [] { return '\0'; });
      case 1:
        return fill(page, 0, kPage, [this] { return static_cast<char>(random_()); });
      case 2:  // a write that was torn
        return fill(page, 512 * (1 + below(7)), kPage, [] { return '\0'; });
      case 3: {  // what belongs elsewhere
        const std::string other = bytes_.substr(below(pages()) * kPage, kPage);
        bytes_.replace(page * kPage, kPage, other);
        return;
      }
      default:
        for (std::size_t n = 1 + below(8); n > 0; --n) flip(page);
    }
  }
  void cut() {
    const std::size_t left = below(pages() * kPage);
    for (std::size_t page = left / kPage + 1; page <= pages(); ++page) hit_.insert(page);
    bytes_.resize(left);
  }
  std::size_t below(std::size_t bound) { return random_() % bound; }

  int hits_of(const std::set<std::size_t>& pages) const {
    return static_cast<int>(
        std::count_if(pages.begin(), pages.end(), [&](auto page) { return hit_.contains(page); }));
  }
  // Of the schema's version, in the header.
  bool says_newer() const {
    if (bytes_.size() < 64) return false;
    const std::uint32_t version = read_u32(as_bytes(bytes_).subspan(60));
    return version > 1 && version < 1000;
  }
  const std::string& bytes() const { return bytes_; }
  const std::set<std::size_t>& hit() const { return hit_; }

 private:
  static constexpr std::size_t kPage = SalvageFixture::kPage;
  std::size_t pages() const { return bytes_.size() / kPage; }
  // Where the format's own bytes are, more often than in the middle of nothing.
  void flip(std::size_t page) {
    const std::size_t at = below(3) ? below(kPage) : below(120);
    bytes_[page * kPage + at] = static_cast<char>(bytes_[page * kPage + at] ^ (1 << below(8)));
  }
  template <class Make>
  void fill(std::size_t page, std::size_t from, std::size_t to, Make make) {
    for (std::size_t at = from; at < to; ++at) bytes_[page * kPage + at] = make();
  }
  std::string bytes_;
  std::mt19937 random_;
  std::set<std::size_t> hit_;
};

TEST_CASE_METHOD(SalvageFixture,
                 "Random damage: the store opens, balances, and loses nothing that was not hit") {
  const char* const asked = std::getenv("TULPAR_SALVAGE_RUNS");
  const int runs = asked ? std::atoi(asked) : 100;
  fill(160);
  const auto peers = roots({"peer", "sqlite_autoindex_peer_1"});
  const auto classes = roots({"class", "sqlite_autoindex_class_1"});
  const auto trees = roots({"message", "body"});
  const std::string file = close();
  int salvaged_runs = 0;
  for (int seed = 1; seed <= runs; ++seed) {
    INFO("seed " << seed);
    Damage damage(file, static_cast<unsigned>(seed));
    for (std::size_t n = 1 + damage.below(12); n > 0; --n) damage.once();
    if (damage.below(8) == 0) damage.cut();
    if (damage.says_newer()) continue;  // refused, as it must be
    const auto salvaged = open_damaged(damage.bytes());
    // A flipped bit in a name makes another name.
    const bool named = damage.hits_of(peers) + damage.hits_of(classes) == 0;
    if (salvaged) {
      ++salvaged_runs;
      check_sound();
      check_numbers(named);
      std::filesystem::remove(salvaged->aside);
    }
    if (damage.hits_of(peers) == 2) continue;  // nobody knows any more where its messages go
    // Where a tree is gone, a flipped row number can take the place of one that is right.
    CHECK(lost_besides(damage.hit(), named) <= (damage.hits_of(trees) ? 2 : 0));
  }
  CHECK(salvaged_runs > runs / 2);
}

}  // namespace
}  // namespace tulpar::queue
