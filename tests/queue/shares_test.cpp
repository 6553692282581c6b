// SPDX-License-Identifier: Apache-2.0
#include "queue/shares.hpp"

#include <map>

#include "tests/catch.hpp"
#include "tests/queue/entries.hpp"

using namespace tulpar;
using namespace tulpar::queue;

namespace {

ClassSet set_of(std::initializer_list<ClassId> classes) {
  ClassSet set;
  for (const ClassId cls : classes) set.set(cls);
  return set;
}

std::vector<config::MessageClass> classes(std::initializer_list<std::pair<std::uint32_t, double>> weights) {
  auto result = plain_classes(weights.size());
  std::size_t i = 0;
  for (const auto& [weight, minimum] : weights) {
    result[i].weight = weight;
    result[i++].minimum_share = minimum;
  }
  return result;
}

// What each class sends of `total` bytes while all in `waiting` always have something.
std::map<ClassId, double> run(Shares& shares, const ClassSet& waiting, std::uint64_t total,
                              std::uint64_t frame = 240) {
  std::map<ClassId, double> parts;
  for (std::uint64_t sent = 0; sent < total; sent += frame) {
    const ClassId cls = *shares.turn(waiting);
    shares.sent(cls, frame, waiting);
    parts[cls] += static_cast<double>(frame) / static_cast<double>(total);
  }
  return parts;
}

// Bytes that class 1 sends before it is class 2's turn.
std::uint64_t burst(Shares& shares) {
  std::uint64_t bytes = 0;
  for (; *shares.turn(set_of({1, 2})) == 1; bytes += 16) shares.sent(1, 16, set_of({1, 2}));
  return bytes;
}

constexpr std::uint64_t kLong = 10'000'000;

}  // namespace

TEST_CASE("shares: nobody waits, nobody's turn") { CHECK_FALSE(Shares(plain_classes(3)).turn({})); }

TEST_CASE("shares: the most urgent goes first, emergency before all whatever it has sent") {
  Shares shares(plain_classes(4));
  CHECK(*shares.turn(set_of({1, 2, 3})) == 1);
  CHECK(*shares.turn(set_of({3, 2})) == 2);
  for (int i = 0; i < 10'000; ++i) shares.sent(0, 1000, set_of({1, 2, 3}));
  CHECK(*shares.turn(set_of({0, 1, 2, 3})) == 0);
  CHECK(burst(shares) == ::Approx(2 * Shares::kHeadStart).margin(32));  // nobody has earned by it
}

TEST_CASE("shares: each gets its minimum, and of the rest a part by weight") {
  Shares shares(classes({{160, 0.05}, {80, 0.05}, {40, 0.05}, {20, 0.05}, {10, 0}}));
  const auto parts = run(shares, set_of({1, 2, 3, 4}), kLong);
  CHECK(parts.at(1) == ::Approx(0.05 + 0.85 * 80 / 150).margin(0.01));
  CHECK(parts.at(2) == ::Approx(0.05 + 0.85 * 40 / 150).margin(0.01));
  CHECK(parts.at(3) == ::Approx(0.05 + 0.85 * 20 / 150).margin(0.01));
  CHECK(parts.at(4) == ::Approx(0.85 * 10 / 150).margin(0.01));
}

TEST_CASE("shares: the minimum holds against any weight") {
  Shares shares(classes({{1, 0}, {1000, 0}, {1, 0.05}, {1, 0.1}}));
  const auto parts = run(shares, set_of({1, 2, 3}), kLong);
  CHECK(parts.at(2) >= 0.05);
  CHECK(parts.at(3) >= 0.1);
  CHECK(parts.at(1) >= 0.84);
}

TEST_CASE("shares: minima that cannot all be kept are cut in proportion") {
  Shares shares(classes({{1, 0.5}, {1, 0.5}, {1, 0.5}, {1, 0.25}}));
  const auto parts = run(shares, set_of({1, 2, 3}), kLong);
  CHECK(parts.at(1) == ::Approx(0.4).margin(0.01));
  CHECK(parts.at(2) == ::Approx(0.4).margin(0.01));
  CHECK(parts.at(3) == ::Approx(0.2).margin(0.01));
}

TEST_CASE("shares: what one of them does not need goes to the others") {
  Shares shares(classes({{1, 0}, {1, 0}, {1, 0}, {1, 0}}));
  const auto parts = run(shares, set_of({1, 3}), kLong);
  CHECK(parts.at(1) == ::Approx(0.5).margin(0.01));
  CHECK(parts.at(3) == ::Approx(0.5).margin(0.01));
}

TEST_CASE("shares: a short burst of an urgent class waits for nobody") {
  Shares shares(classes({{1, 0.05}, {1, 0.05}, {1000, 0.05}}));
  run(shares, set_of({2}), 1'000'000);  // the less urgent class had the link for itself
  for (double sent = 0; sent < Shares::kHeadStart; sent += 100) {
    REQUIRE(*shares.turn(set_of({1, 2})) == 1);
    shares.sent(1, 100, set_of({1, 2}));
  }
}

TEST_CASE("shares: sparse urgent messages go at once, however long a bulk transfer runs") {
  Shares shares(classes({{1, 0}, {50, 0.05}, {50, 0}}));
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(*shares.turn(set_of({1, 2})) == 1);
    shares.sent(1, 100, set_of({2}));
    for (int frame = 0; frame < 2; ++frame) shares.sent(2, 240, set_of({2}));
  }
}

TEST_CASE("shares: a class that is there for one message at a time cannot starve the others") {
  // Class 1 runs empty with each message and comes back before the next turn.
  Shares shares(classes({{1, 0}, {90, 0.05}, {5, 0.05}, {5, 0.05}}));
  std::map<ClassId, double> sent;
  for (int i = 0; i < 100'000; ++i) {
    const ClassId cls = *shares.turn(set_of({1, 2, 3}));
    shares.sent(cls, 100, set_of({2, 3}));
    sent[cls] += 100;
  }
  CHECK(sent[2] / (100.0 * 100'000) >= 0.05);
  CHECK(sent[3] / (100.0 * 100'000) >= 0.05);
}

TEST_CASE("shares: who was idle has saved nothing up") {
  Shares shares(classes({{1, 0}, {1, 0}, {1, 0}}));
  shares.sent(2, 20'000, set_of({1, 2}));  // now class 1 has 10,000 to its credit, but
  shares.sent(2, 20'000, set_of({2}));     // then has nothing to send
  CHECK(burst(shares) == ::Approx(2 * Shares::kHeadStart).margin(32));
}

TEST_CASE("shares: who flooded alone owes nothing to those who come later") {
  Shares shares(classes({{1, 0}, {1, 0}, {1, 0}}));
  run(shares, set_of({1}), kLong);
  CHECK(*shares.turn(set_of({1, 2})) == 1);
  shares.sent(1, 1 << 20, set_of({1, 2}));  // overdrawn towards class 2, which leaves;
  shares.sent(1, 240, set_of({1}));         // alone again
  CHECK(*shares.turn(set_of({1, 2})) == 1);
}

TEST_CASE("shares: where all are overdrawn, the one that is least so goes") {
  Shares shares(classes({{1, 0}, {1, 0}, {1, 0}, {1, 0}}));
  shares.sent(1, 1 << 20, set_of({1, 2, 3}));
  shares.sent(2, 60'000, set_of({2, 3}));
  CHECK(*shares.turn(set_of({1})) == 1);
  CHECK(*shares.turn(set_of({1, 2})) == 2);
  CHECK(*shares.turn(set_of({1, 2, 3})) == 2);
}

TEST_CASE("shares: one huge message is paid back, as far as accounts remember") {
  Shares shares(classes({{1, 0}, {1, 0}, {1, 0}}));
  shares.sent(1, 1 << 20, set_of({1, 2}));
  std::uint64_t others = 0;
  for (; *shares.turn(set_of({1, 2})) == 2; others += 240) shares.sent(2, 240, set_of({1, 2}));
  CHECK(others == ::Approx(2 * (Shares::kMemory - Shares::kHeadStart)).margin(500));
}

TEST_CASE("shares: new weights count from the next byte") {
  Shares shares(classes({{1, 0}, {1, 0}, {1, 0}}));
  run(shares, set_of({1, 2}), kLong);
  shares.set_policy(classes({{1, 0}, {1, 0}, {9, 0}}));
  const auto parts = run(shares, set_of({1, 2}), kLong);
  CHECK(parts.at(1) == ::Approx(0.1).margin(0.01));
}
