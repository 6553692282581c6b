// SPDX-License-Identifier: Apache-2.0
//
// What an operation costs with a thousand messages queued, and with a million; fills stores for it.
//
//   proof_million fill DIR COUNT     a gateway's store in DIR with so many messages queued for its relay
//   proof_million compare SMALL LARGE  prints, for the two stores in turn, what appending, picking and
//                                    acknowledging a message takes, and the ratios: `figure NAME VALUE`
//
// The time that passes is mostly the disk's, which a commit waits for, and would hide what else grows: the
// thread's own time (cpu) does not.
#include <fmt/format.h>

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string_view>

#include "gateway/link/outgoing.hpp"
#include "gateway/real_clock.hpp"
#include "queue/store_reader.hpp"

namespace tulpar {
namespace {

constexpr int kRounds = 600;
// A batch's worth; what comes and what goes are as many, so that the stores keep their size.
constexpr std::size_t kTogether = 16;

std::string store_in(const std::string& dir) { return dir + "/queue.db"; }

std::vector<std::string> class_names() {
  std::vector<std::string> names;
  for (const auto& cls : config::default_classes()) names.push_back(cls.name);
  return names;
}

// Nothing waits for company: there is always something to pick.
std::vector<config::MessageClass> at_once(std::vector<config::MessageClass> classes) {
  for (auto& cls : classes) cls.hold = Millis{0};
  return classes;
}

// What 200 nodes publish: texts of a LoRa packet's size, each with an id of its own.
std::vector<queue::NewMessage> messages(queue::PeerId peer, std::size_t count, std::mt19937_64& random) {
  std::vector<queue::NewMessage> made(count);
  for (auto& message : made) {
    message.peer = peer;
    message.cls = 1;
    message.node = fmt::format("!{:08x}", random() % 200);
    message.topic = "msh/EU_868/2/e/LongFast/" + message.node;
    message.payload.resize(80 + random() % 120);
    for (auto& byte : message.payload) byte = static_cast<std::uint8_t>(random());
    message.packet = random() >> 1;
  }
  return made;
}

struct Cost {
  double wall = 0, cpu = 0;  // microseconds a message
};

class Stopwatch {
 public:
  Cost cost() const { return {since(wall_, CLOCK_MONOTONIC), since(cpu_, CLOCK_THREAD_CPUTIME_ID)}; }

 private:
  static double now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }
  static double since(double began, clockid_t clock) {
    return (now(clock) - began) / static_cast<double>(kTogether);
  }
  double wall_ = now(CLOCK_MONOTONIC), cpu_ = now(CLOCK_THREAD_CPUTIME_ID);
};

// Of the median round.
Cost median(std::vector<Cost> rounds) {
  const auto middle = [&](double Cost::*part) {
    const auto at = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
    std::nth_element(rounds.begin(), at, rounds.end(),
                     [part](const Cost& a, const Cost& b) { return a.*part < b.*part; });
    return *at.*part;
  };
  return {middle(&Cost::wall), middle(&Cost::cpu)};
}

template <class Run>
auto commit(queue::Store& store, Run run) {
  queue::Transaction transaction(store.database());
  auto value = run(store);
  store.flush();
  transaction.commit();
  return value;
}

class Side {
 public:
  Side(const std::string& dir, const Clock& clock)
      : clock_(&clock),
        store_(queue::Store::open(store_in(dir), class_names(), clock).value()),
        reader_(store_in(dir)),
        scheduler_(at_once(config::default_classes())) {
    peer_ = commit(*store_, [](queue::Store& store) { return store.peer("relay"); });
    link_ = commit(*store_, [](queue::Store& store) { return store.link("sat"); });
    auto state = commit(*store_, [this](queue::Store& store) { return store.load_send(peer_); });
    batch_ = state.batch_next;
    for (const auto& entry : state.queued) scheduler_.add(entry);
  }

  void append(std::mt19937_64& random) {
    const auto group = messages(peer_, kTogether, random);
    const Stopwatch watch;
    for (const auto& one : commit(*store_, [&](queue::Store& store) { return store.accept(group); }))
      scheduler_.add(one.entry);
    append_.push_back(watch.cost());
  }
  void pick() {
    const Stopwatch watch;
    const BootTime now = clock_->now();
    scheduler_.take_expired(now);
    picked_ = scheduler_.ready(now) ? scheduler_.pick(now, {.max_bytes = 8192, .max_messages = kTogether})
                                    : std::vector<queue::Entry>{};
    std::vector<queue::MessageId> ids;
    for (const auto& entry : picked_) ids.push_back(entry.id);
    (void)reader_.bodies(ids);
    (void)scheduler_.next_wake(now);
    pick_.push_back(watch.cost());
  }
  void acknowledge() {
    const Stopwatch watch;
    queue::SettledBatch batch{
        .number = ++batch_, .floor = batch_, .enters_history = true, .plain = Bytes(2000, 7), .messages = {}};
    for (const auto& entry : picked_) batch.messages.push_back({entry.id, 50});
    commit(*store_, [&](queue::Store& store) {
      store.book(link_, {.wire_up = 500});
      return store.settle(peer_, link_, batch);
    });
    acknowledge_.push_back(watch.cost());
  }

  std::array<Cost, 3> costs() const { return {median(append_), median(pick_), median(acknowledge_)}; }

 private:
  const Clock* clock_;
  std::unique_ptr<queue::Store> store_;
  queue::StoreReader reader_;
  queue::Scheduler scheduler_;
  queue::PeerId peer_ = 0;
  std::int64_t link_ = 0;
  std::uint64_t batch_ = 0;
  std::vector<queue::Entry> picked_;
  std::vector<Cost> append_, pick_, acknowledge_;
};

void fill(const std::string& dir, std::size_t count) {
  std::filesystem::create_directories(dir);
  const RealClock clock;
  std::mt19937_64 random(1);
  auto store = queue::Store::open(store_in(dir), class_names(), clock).value();
  const auto peer = commit(*store, [](queue::Store& s) { return s.peer("relay"); });
  for (std::size_t made = 0; made < count; made += std::min<std::size_t>(count - made, 1000)) {
    const auto group = messages(peer, std::min<std::size_t>(count - made, 1000), random);
    commit(*store, [&](queue::Store& s) { return s.accept(group); });
  }
}

void compare(const std::string& small_dir, const std::string& large_dir) {
  const RealClock clock;
  std::mt19937_64 random(2);
  Side small(small_dir, clock), large(large_dir, clock);
  for (int round = 0; round < kRounds; ++round)
    for (Side* side : {&small, &large}) {
      side->append(random);
      side->pick();
      side->acknowledge();
    }
  const auto few = small.costs(), many = large.costs();
  const char* names[] = {"append", "pick", "acknowledge"};
  const auto print = [&](const char* what, double Cost::*part) {
    for (int i = 0; i < 3; ++i)
      fmt::print("figure {}_{}us_with_a_thousand {:.1f}\n", names[i], what, few[i].*part);
    for (int i = 0; i < 3; ++i)
      fmt::print("figure {}_{}us_with_a_million {:.1f}\n", names[i], what, many[i].*part);
    for (int i = 0; i < 3; ++i)
      fmt::print("figure {}_{}ratio {:.2f}\n", names[i], what, many[i].*part / few[i].*part);
  };
  print("", &Cost::wall);
  print("cpu_", &Cost::cpu);
}

}  // namespace
}  // namespace tulpar

int main(int count, char** arguments) {
  const std::vector<std::string_view> given(arguments + 1, arguments + count);
  if (given.size() == 3 && given[0] == "fill") {
    tulpar::fill(arguments[2], std::strtoull(arguments[3], nullptr, 10));
  } else if (given.size() == 3 && given[0] == "compare") {
    tulpar::compare(arguments[2], arguments[3]);
  } else {
    fmt::print(stderr, "usage: proof_million fill DIR COUNT | compare SMALL LARGE\n");
    return 2;
  }
}
