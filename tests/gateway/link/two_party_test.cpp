// SPDX-License-Identifier: Apache-2.0
//
// Two peers over a link that breaks, with stores that are slow, refuse, crash, lose their history or come back
// from a backup.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "tests/catch.hpp"
#include "tests/gateway/link/world.hpp"

namespace tulpar::link {
namespace {

struct Faults {
  bool crashes = false, refusals = false, lost_history = false, backups = false;
};

class Chaos {
 public:
  Chaos(World& world, std::uint32_t seed, Faults faults) : world_(world), random_(seed), faults_(faults) {}

  void step() {
    const int i = below(2);
    Side& side = world_.side(i);
    const int dice = below(1000);
    if (dice < 150) return write(side);
    if (dice < 350) return void(world_.send(i, 64 + below(1500)));
    if (dice < 560) return void(world_.deliver(i));
    if (dice < 700) return void(side.commit(1 + below(6), faults_.refusals && below(12) == 0));
    if (dice < 850) return void(side.answer());
    if (dice < 930) return void(side.read(below(20) == 0));
    if (dice < 960) return world_.clock.advance(Millis{below(400)});
    if (dice < 970) return side.end_some();
    if (dice < 985) return world_.connect(), void(world_.notice(i));
    if (dice < 991) return world_.break_link();
    fault(i);
  }
  bool restored() const { return restored_; }

 private:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }

  void write(Side& side) {
    const int dice = below(100);
    const auto cls = static_cast<queue::ClassId>(dice < 3 ? 0 : 1 + dice % 4);
    side.accept(cls, below(20) == 0 ? 5000 : 20 + below(300), cls == 3 ? 1 + below(2) : 0);
  }

  void fault(int i) {
    if (faults_.crashes && below(2) == 0) world_.crash(i);
    if (faults_.lost_history && below(6) == 0) {
      world_.side(i).query(fmt::format("DELETE FROM history WHERE batch % 3 = {} RETURNING batch", below(3)));
      world_.crash(i);
    }
    if (faults_.backups && below(4) == 0) world_.backup(i);
    if (faults_.backups && below(6) == 0) {
      world_.restore(i);
      restored_ = !world_.check_contents;
    }
  }

  World& world_;
  std::mt19937 random_;
  Faults faults_;
  bool restored_ = false;
};

void live(std::uint32_t seed, Faults faults, int steps) {
  World world;
  Chaos chaos(world, seed, faults);
  int step = 0;
  try {
    for (; step < steps; ++step) {
      chaos.step();
      if (step % 50 == 0) world.check_books();
    }
    world.settle_down(4000);
    if (!world.done()) throw std::runtime_error("stuck");
    world.check_end(!chaos.restored());
    if (!chaos.restored()) {
      if (world.side(0).renewals + world.side(1).renewals)
        throw std::runtime_error("a new incarnation without need");
      if (world.side(0).dropped + world.side(1).dropped + world.refused)
        throw std::runtime_error("a batch was refused");
      if (world.lost && !faults.lost_history) throw std::runtime_error("the histories differ");
    }
  } catch (const std::exception& error) {
    FAIL("seed " << seed << " step " << step << " of " << steps << ": " << error.what() << "; "
                 << world.words());
  }
}

constexpr Faults kBreaks{};
constexpr Faults kCrashes{.crashes = true};
constexpr Faults kRefusals{.crashes = true, .refusals = true};
constexpr Faults kLosses{.crashes = true, .lost_history = true};
constexpr Faults kBackups{.crashes = true, .refusals = true, .lost_history = true, .backups = true};

// TULPAR_SEED=n runs one seed; TULPAR_STEPS shortens it, to find the step at which it begins to fail.
void run_seeds(Faults faults, std::uint32_t first, std::uint32_t count, int steps) {
  if (const char* given = std::getenv("TULPAR_STEPS")) steps = std::atoi(given);
  if (const char* seed = std::getenv("TULPAR_SEED"))
    return live(static_cast<std::uint32_t>(std::atoi(seed)), faults, steps);
  for (std::uint32_t seed = first; seed < first + count; ++seed) live(seed, faults, steps);
}

}  // namespace

TEST_CASE("Two peers on a link that breaks deliver everything once") { run_seeds(kBreaks, 1, 12, 1500); }
TEST_CASE("Two peers that crash deliver everything once") { run_seeds(kCrashes, 100, 12, 1500); }
TEST_CASE("Two peers whose stores refuse now and then deliver everything once") {
  run_seeds(kRefusals, 200, 12, 1500);
}
TEST_CASE("Two peers that lose history deliver everything once") { run_seeds(kLosses, 300, 12, 1500); }
TEST_CASE("Two peers brought back from backups go on") { run_seeds(kBackups, 400, 12, 1500); }
TEST_CASE("Two peers for many seeds", "[.long]") {
  const auto faults = GENERATE(kBreaks, kCrashes, kRefusals, kLosses, kBackups);
  run_seeds(faults, 10'000, 400, 3000);
}

}  // namespace tulpar::link
