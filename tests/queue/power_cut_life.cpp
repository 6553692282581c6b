// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/power_cut_life.hpp"

#include <fmt/format.h>

namespace tulpar::queue {
namespace {

using Job = Recorder::Job;

constexpr Millis kKeepBody = std::chrono::seconds(30);
constexpr Millis kKeepStory = std::chrono::minutes(4);
// A file gives pages back only beyond 4 MiB of empty ones.
constexpr std::size_t kLarge = 260'000, kLargeOnes = 20;

class Life {
 public:
  Life(Recorder& recorder, Role role, std::uint64_t seed)
      : recorder_(recorder), role_(role), dice_(seed), sinks_(dice_) {
    recorder_.record().peers =
        role == Role::kGateway ? std::vector<std::string>{"relay"} : std::vector<std::string>{"roof", "ship"};
  }

  void start() {
    recorder_.start();
    if (sending_.empty()) meet_peers();
    std::vector<Job> jobs;
    for (auto& direction : sending_) jobs.push_back(direction->load());
    jobs.push_back(sinks_.load(sinks()));
    recorder_.commit(jobs);
  }

  void end() {
    recorder_.end(dice_.one_in(2) ? Recorder::End::kKilled : Recorder::End::kCleanly);
    if (dice_.one_in(3))
      recorder_.clock.reboot(fmt::format("boot-{}", ++boots_), Millis{dice_.below(100'000)}, !dice_.one_in(3));
  }

  void group() {
    std::vector<Job> jobs;
    for (auto count = 1 + dice_.below(4); count > 0; --count) jobs.push_back(any());
    if (dice_.one_in(20))
      jobs.insert(jobs.begin() + static_cast<std::ptrdiff_t>(dice_.below(jobs.size())), failing());
    recorder_.commit(jobs);
    recorder_.clock.advance(Millis{dice_.below(8000)});
    if (dice_.one_in(30)) recorder_.clock.trust(true);
    if (dice_.one_in(25)) recorder_.hold_view();
    if (dice_.one_in(8)) recorder_.release_view();
  }

  // Large messages come, go and are erased, until the file has shrunk in steps.
  void breathe() {
    auto& sending = *sending_.front();
    for (std::size_t i = 0; i < kLargeOnes; i += 4) recorder_.commit({sending.accept(4, kLarge)});
    recorder_.commit({sending.settle(1000), sending.settle(1000)});
    for (int i = 0; i < 4; ++i) {
      recorder_.clock.advance(kKeepBody);
      recorder_.commit({erase()});
    }
  }

 private:
  void meet_peers() {
    auto ids = std::make_shared<std::vector<PeerId>>();
    auto link = std::make_shared<std::int64_t>();
    recorder_.commit({{[=, names = recorder_.record().peers](Store& store) {
      *link = store.link("sat");
      for (const auto& name : names) ids->push_back(store.peer(name));
    }}});
    for (const auto id : *ids) {
      sending_.push_back(std::make_unique<Sending>(recorder_, dice_, id, *link));
      receiving_.push_back(std::make_unique<Receiving>(recorder_, dice_, sinks_, id, *link));
    }
  }

  std::vector<std::string> sinks() {
    if (role_ == Role::kGateway) return {"mesh"};
    std::vector<std::string> names = {"broker"};
    for (const auto* other : {"archive", "rescue"})
      if (dice_.one_in(2)) names.emplace_back(other);
    return names;
  }

  Job any() {
    const auto dice = dice_.below(100);
    const auto peer = dice_.below(sending_.size());
    const std::uint64_t up = role_ == Role::kGateway ? 75 : 25;
    if (dice < 6) return erase();
    if (dice < 20) return sinks_.any();
    return dice_.below(100) < up ? sending_[peer]->any() : receiving_[peer]->any();
  }

  Job failing() {
    return {[](Store& store) { store.database().execute("SELECT * FROM no_such_table"); }, [] {}, true};
  }

  // Stories that are gone for age are no longer promised.
  Job erase() {
    return {[](Store& store) {
              store.date_usage();
              store.erase_old(kKeepBody, kKeepStory);
            },
            [this] {
              std::set<MessageId> there;
              Statement rows(recorder_.store().database(), "SELECT id FROM message");
              while (rows.step()) there.insert(rows.integer(0));
              for (auto& message : recorder_.record().messages)
                if (!there.contains(message.id))
                  message.span.until = std::min(message.span.until, recorder_.group().begun);
            }};
  }

  Recorder& recorder_;
  Role role_;
  Dice dice_;
  Sinks sinks_;
  std::vector<std::unique_ptr<Sending>> sending_;
  std::vector<std::unique_ptr<Receiving>> receiving_;
  int boots_ = 1;
};

}  // namespace

std::size_t Dice::size() {
  const auto dice = below(1000);
  if (dice < 700) return 20 + below(280);
  if (dice < 930) return 300 + below(2700);
  return dice < 995 ? 3000 + below(27'000) : 30'000 + below(270'000);
}

Bytes Dice::bytes(std::size_t size) {
  Bytes made(size);
  std::minstd_rand noise(static_cast<std::uint32_t>(random_()));
  for (auto& byte : made) byte = static_cast<std::uint8_t>(noise() >> 8);
  return made;
}

void live(Recorder& recorder, Role role, std::uint64_t seed, int groups) {
  Life life(recorder, role, seed);
  life.start();
  for (int i = 1; i <= groups; ++i) {
    life.group();
    if (i == groups / 2 && seed % 5 == 2) life.breathe();
    if (i % 20 != 0) continue;
    life.end();
    life.start();
  }
  life.end();
}

}  // namespace tulpar::queue
