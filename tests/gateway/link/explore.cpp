// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/explore.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "tests/gateway/link/explore_reach.hpp"

namespace tulpar::link::explore {
namespace {

// What is known of the states met so far, by their keys; eight bytes each.
class Known {
 public:
  // True: not explored with so many faults left, or more.
  bool is_new(std::uint64_t key, int left) { return (find(key) & kMark) < kExplored + mark(left); }
  void explore(std::uint64_t key, int left) {
    std::uint64_t& slot = place(key);
    explored_ += (slot & kMark) < kExplored;
    slot = (key & ~kMark) | (kExplored + mark(left));
  }
  // Without faults it comes to a good end; so does every state that was explored.
  bool drains(std::uint64_t key) { return find(key) != 0; }
  void drain(std::uint64_t key) {
    if (std::uint64_t& slot = place(key); slot == 0) slot = (key & ~kMark) | kDrains;
  }
  std::size_t explored() const { return explored_; }

 private:
  static constexpr std::uint64_t kMark = 7, kDrains = 1, kExplored = 2;
  static std::uint64_t mark(int left) { return static_cast<std::uint64_t>(left); }
  std::uint64_t& place(std::uint64_t key) {
    std::uint64_t& slot = find(key);
    if (slot != 0 || ++count_ * 2 < table_.size()) return slot;
    grow();
    return find(key);
  }
  std::uint64_t& find(std::uint64_t key) {
    std::size_t at = (key >> 3) & (table_.size() - 1);
    while (table_[at] != 0 && (table_[at] & ~kMark) != (key & ~kMark)) at = (at + 1) & (table_.size() - 1);
    return table_[at];
  }
  void grow() {
    std::vector<std::uint64_t> before(table_.size() * 2);
    before.swap(table_);
    for (const auto slot : before)
      if (slot != 0) find(slot) = slot;
  }
  std::vector<std::uint64_t> table_ = std::vector<std::uint64_t>(1024);
  std::size_t count_ = 0, explored_ = 0;
};

// A run that broke a rule, with the steps after the one that was asked for.
struct Broken {
  std::string what;
  std::vector<Step> drained;
};

class Explorer {
 public:
  explicit Explorer(const Scenario& scenario) : world_(scenario) {}

  std::optional<Broken> take(Step step) {
    try {
      world_.take(step);
      return std::nullopt;
    } catch (const std::exception& error) {
      return Broken{error.what(), {}};
    }
  }

  // From here to the end without a fault. A state that is known to drain ends it: what follows is the same.
  std::optional<Broken> drain() {
    std::vector<Step> steps;
    std::vector<std::uint64_t> path;
    const auto left = [&](std::string what) { return Broken{std::move(what), std::move(steps)}; };
    try {
      while (!known_.drains(world_.key())) {
        path.push_back(world_.key());
        if (std::count(path.begin(), path.end(), path.back()) > 1) return left("it goes round in circles");
        if (world_.done()) {
          world_.check_end();
          break;
        }
        const auto step = world_.drain();
        if (!step) return left("nothing moves any more, and not all is delivered");
        steps.push_back(*step);
      }
    } catch (const std::exception& error) {
      return left(error.what());
    }
    for (const auto key : path) known_.drain(key);
    return std::nullopt;
  }

  // What can follow, as a number.
  std::uint64_t futures(const World::Saved& here) {
    Key key;
    for (const auto step : world_.steps()) {
      const bool broken = take(step).has_value();
      key.add(static_cast<std::uint64_t>(step.act) << 16 | step.side << 8 | step.frame);
      key.add(broken ? 0 : world_.key());
      world_.load(here);
    }
    return key.value();
  }

  Report run(bool audit) {
    struct Level {
      World::Saved here;
      std::vector<Step> steps;
      std::size_t next = 0;
    };
    std::vector<Level> path;
    std::vector<Step> steps;
    Report report;
    const auto fail = [&](Broken broken) {
      steps.insert(steps.end(), broken.drained.begin(), broken.drained.end());
      report.found = Found{std::move(broken.what), steps};
      return report;
    };
    const auto enter = [&]() -> std::optional<Broken> {
      World::Saved here = world_.save();
      if (audit && !same_futures(here)) return Broken{"two states share a key and go on differently", {}};
      const std::uint64_t key = world_.key();
      if (!known_.is_new(key, here.left)) return std::nullopt;
      path.push_back({here, world_.steps()});
      auto broken = drain();
      known_.explore(key, here.left);
      return broken;
    };
    if (auto broken = enter()) return fail(*broken);
    while (!path.empty()) {
      Level& top = path.back();
      if (top.next == top.steps.size()) {
        path.pop_back();
        if (!steps.empty()) steps.pop_back();
        continue;
      }
      const Step step = top.steps[top.next++];
      world_.load(top.here);
      steps.push_back(step);
      ++report.transitions;
      if (auto broken = take(step)) return fail(*broken);
      const std::size_t depth = path.size();
      if (auto broken = enter()) return fail(*broken);
      if (path.size() == depth) steps.pop_back();
      report.deepest = std::max(report.deepest, steps.size());
      report.states = known_.explored();
    }
    return report;
  }

  std::optional<Found> shortest(std::size_t longest) {
    struct Node {
      std::size_t parent;
      Step step;
    };
    const World::Saved root = world_.save();
    std::vector<Node> nodes = {{0, {}}};
    const auto steps_to = [&](std::size_t node) {
      std::vector<Step> steps;
      for (; node != 0; node = nodes[node].parent) steps.push_back(nodes[node].step);
      std::reverse(steps.begin(), steps.end());
      return steps;
    };
    for (std::size_t at = 0; at < nodes.size(); ++at) {
      auto steps = steps_to(at);
      if (steps.size() >= longest) break;
      world_.load(root);
      for (const auto step : steps) world_.take(step);
      const World::Saved here = world_.save();
      for (const auto step : world_.steps()) {
        world_.load(here);
        auto broken = take(step);
        const std::uint64_t key = world_.key();
        const int left = world_.faults_left();
        const bool fresh = !broken && known_.is_new(key, left);
        if (fresh) {
          broken = drain();
          known_.explore(key, left);
        }
        if (broken) {
          steps.push_back(step);
          steps.insert(steps.end(), broken->drained.begin(), broken->drained.end());
          return Found{std::move(broken->what), std::move(steps)};
        }
        if (fresh) nodes.push_back({at, step});
      }
    }
    return std::nullopt;
  }

 private:
  bool same_futures(const World::Saved& here) {
    const std::uint64_t futures = this->futures(here);
    Key key;
    key.add(world_.key());
    key.add(static_cast<std::uint64_t>(here.left));
    return futures_.emplace(key.value(), futures).first->second == futures;
  }

  World world_;
  Known known_;
  std::unordered_map<std::uint64_t, std::uint64_t> futures_;
};

}  // namespace

Report explore(const Scenario& scenario, bool audit) { return Explorer(scenario).run(audit); }

std::optional<Found> shortest(const Scenario& scenario, std::size_t longest) {
  return Explorer(scenario).shortest(longest);
}

std::string script(const Scenario& scenario, const Found& found) {
  Scenario from_the_start = scenario;
  from_the_start.first.clear();
  World world(from_the_start);
  auto steps = scenario.first;
  steps.insert(steps.end(), found.steps.begin(), found.steps.end());
  std::string text;
  int line = 0;
  const auto write = [&](const std::string& words) { text += fmt::format("{:4}. {}\n", ++line, words); };
  for (const auto step : steps) {
    const std::string words = world.words(step);
    try {
      world.take(step);
    } catch (const std::exception&) {
      write(words + (world.sent().empty() ? "" : ": " + world.sent()));
      break;
    }
    write(words + (world.sent().empty() ? "" : ": " + world.sent()));
  }
  return text + "      " + found.what + "\n";
}

}  // namespace tulpar::link::explore
