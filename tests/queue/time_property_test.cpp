// SPDX-License-Identifier: Apache-2.0
//
// Random faults of time on a store beside what really happened; a run that fails is told as the few steps that
// are enough. The seeds can be chosen (tests/seeds.hpp).
#include <fmt/format.h>

#include <iostream>
#include <random>

#include "tests/catch.hpp"
#include "tests/queue/stepped_clock.hpp"
#include "tests/seeds.hpp"
#include "tests/shrink.hpp"

namespace tulpar::queue {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct Step {
  enum Kind {
    kPass,
    kSuspend,
    kForward,
    kBack,
    kLearn,
    kDoubt,
    kReboot,
    kRestart,
    kAccept,
    kBook,
    kDate,
    kFailDate,
    kErase
  };
  static constexpr unsigned kKinds = kErase + 1;
  Kind kind = kPass;
  unsigned amount = 0;
};

std::string words(const Step& step) {
  const unsigned n = step.amount;
  switch (step.kind) {
    case Step::kPass:
      return fmt::format("{} minutes pass", n);
    case Step::kSuspend:
      return fmt::format("the machine sleeps {} hours", n);
    case Step::kForward:
      return fmt::format("the wall clock goes {} hours forward", n * n * n);
    case Step::kBack:
      return fmt::format("the wall clock goes {} hours back", n * n * n);
    case Step::kLearn:
      return "the time is known";
    case Step::kDoubt:
      return "the time is no longer known";
    case Step::kReboot:
      return fmt::format("the machine is off for {} minutes{}", n,
                         n % 2 ? ", and does not know the time then" : "");
    case Step::kRestart:
      return "the program starts again";
    case Step::kAccept:
      return "a message is accepted";
    case Step::kBook:
      return fmt::format("{} bytes are booked", n);
    case Step::kDate:
      return "usage is dated";
    case Step::kFailDate:
      return "usage is dated in a group that fails";
    case Step::kErase:
      return "what is old is erased";
  }
  return {};
}

// `lies`: the clock may also be believed while it is wrong.
class Machine : public SteppedStore {
 public:
  explicit Machine(bool lies) : lies_(lies) {}

  void take(const Step& step) {
    const Millis many_hours = hours(std::int64_t{step.amount} * step.amount * step.amount);
    switch (step.kind) {
      case Step::kPass:
        return on_for(minutes(step.amount));
      case Step::kSuspend:
        return on_for(hours(step.amount));
      case Step::kForward:
      case Step::kBack:
        if (lies_ || !clock.trusted()) clock.error += step.kind == Step::kForward ? many_hours : -many_hours;
        return;
      case Step::kLearn:
        if (!lies_) clock.error = Millis{0};
        clock.trust(true);
        return note();
      case Step::kDoubt:
        always_known_ = false;
        return clock.trust(false);
      case Step::kReboot:
        if (step.amount % 2) always_known_ = false;
        if (!lies_ && step.amount % 2 == 0) clock.error = Millis{0};
        reboot(minutes(step.amount + 1), step.amount % 2 == 0);
        return check_ages();
      case Step::kRestart:
        reopen();
        return check_ages();
      case Step::kAccept:
        accepted_[accept()] = {clock.truth(), on_};
        return;
      case Step::kBook:
        booked_ += step.amount;
        return book(step.amount);
      case Step::kDate:
        return run([](Store& s) { s.date_usage(); });
      case Step::kFailDate:
        try {
          run([](Store& s) {
            s.date_usage();
            throw StoreError("as asked", SQLITE_FULL);
          });
        } catch (const StoreError&) {
        }
        return;
      case Step::kErase:
        run([](Store& s) { return s.erase_old(hours(1), hours(24)); });
    }
  }

  // Each byte stands in one slot of each resolution, or waits for its date.
  void check_bytes() {
    for (const int resolution : {300, 3600, 86'400, 0})
      require(dated(resolution) + undated() == booked_,
              fmt::format("{} bytes are booked, {} are dated at {} s and {} are not", booked_,
                          dated(resolution), resolution, undated()));
    require(query("SELECT wire_up FROM link") == booked_, "the link's total is another");
  }

 private:
  struct Since {
    WallTime truth;
    Millis on{0};  // the machine's time on until then
  };
  static void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
  }
  void on_for(Millis time) {
    on_ += time;
    pass(time);
  }

  // No message is older than it is, nor younger than the machine was on with it.
  void check_ages() {
    const auto entries = queued();
    require(entries.size() == accepted_.size(), "messages are missing");
    for (const auto& entry : entries) {
      const auto& since = accepted_.at(entry.id);
      const Millis age = clock.now() - entry.accepted, truth = clock.truth() - since.truth, on = on_ - since.on;
      const auto told =
          fmt::format("a message of {} is {} old by the store, and was here while the machine was on for {}",
                      truth.count(), age.count(), on.count());
      require(age >= on, told);
      // A boot begins at its first second.
      if (!lies_) require(age <= truth + std::chrono::seconds(boots), told);
      if (!lies_ && always_known_) require(age == truth, told);
    }
  }

  bool lies_;
  bool always_known_ = true;
  Millis on_{0};
  std::int64_t booked_ = 0;
  std::map<MessageId, Since> accepted_;
};

constexpr std::uint32_t kSteps = 80;

std::vector<Step> random_steps(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Step> steps(kSteps);
  for (auto& step : steps)
    step = {static_cast<Step::Kind>(random() % Step::kKinds), static_cast<unsigned>(random() % 60)};
  return steps;
}

std::optional<std::string> failure(std::uint32_t seed, bool lies) {
  const auto fails = [&](const std::vector<Step>& steps) -> std::optional<std::string> {
    Machine machine(lies);
    try {
      for (const auto& step : steps) {
        machine.take(step);
        machine.check_bytes();
      }
    } catch (const std::exception& error) {
      return error.what();
    }
    return std::nullopt;
  };
  const auto simpler = [](const Step& step) {
    std::vector<Step> steps;
    for (const auto amount : smaller(step.amount)) steps.push_back({step.kind, amount});
    return steps;
  };
  return failure_of(seed, random_steps, fails, simpler, [](const Step& step) { return words(step); });
}

void run_seeds(bool lies) {
  const auto [first, count] = asked_seeds(1, 25);
  for (std::uint32_t seed = first; seed < first + count; ++seed)
    if (const auto found = failure(seed, lies)) FAIL(*found);
  std::cout << fmt::format("figure time_faults{0}_seeds {1}\nfigure time_faults{0}_steps {2}\n",
                           lies ? "_believed" : "", count, count * kSteps);
}

}  // namespace

TEST_CASE("No faults of time lose or double a byte, or make a message older or younger than it is") {
  run_seeds(false);
}

TEST_CASE("No clock that is believed and wrong loses or doubles a byte, or makes a message younger") {
  run_seeds(true);
}

}  // namespace tulpar::queue
