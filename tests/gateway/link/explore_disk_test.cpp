// SPDX-License-Identifier: Apache-2.0
//
// The store in memory beside the real one: after the same writes both hold the same.
#include "tests/gateway/link/explore_disk.hpp"

#include <fmt/format.h>

#include <random>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"
#include "tests/shrink.hpp"

namespace tulpar::link::explore {
namespace {

using queue::Store;
using Parts = std::vector<std::pair<std::uint64_t, Bytes>>;

// Made into a write with small numbers, so that different writes meet.
struct Step {
  enum Kind { kAccept, kReserve, kSettle, kFinish, kClear, kFloor, kKeep, kClose, kReset, kRenew, kStart };
  static constexpr unsigned kKinds = kStart + 1;
  Kind kind = kAccept;
  unsigned a = 0, b = 0;
};

void same(const auto& memory, const auto& real, const char* what) {
  if (memory != real) throw std::runtime_error(fmt::format("they differ in {}", what));
}

Parts parts(const std::vector<queue::HistoryPart>& history) {
  Parts parts;
  for (const auto& part : history) parts.emplace_back(part.batch, part.plain);
  return parts;
}

// Does each step on both.
class Twins : public queue::StoreFixture {
 public:
  explicit Twins(Flaw flaw) : flaw_(flaw) { start(); }

  void take(const Step& step) {
    if (step.kind == Step::kStart) return start();
    const Write write = made(step);
    std::optional<std::uint64_t> memory, real;
    try {
      memory = disk_.commit(write, life_, flaw_);
    } catch (const queue::StoreError&) {
    }
    try {
      real = run([&](Store& s) { return commit(s, write); });
    } catch (const queue::StoreError&) {
    }
    same(memory.has_value(), real.has_value(), "what they refuse");
    if (std::holds_alternative<Reserve>(write)) same(*memory, *real, "the block that they reserve");
    compare();
  }

  Write made(const Step& step) const {
    const Bytes plain(1 + step.b % 7, 'p');
    const auto id = static_cast<queue::MessageId>(1 + step.a % std::max<std::size_t>(1, rows_.size()));
    switch (step.kind) {
      case Step::kAccept:
        return Accept{{.cls = 1, .topic = fmt::format("up/{}", rows_.size()), .payload = plain}};
      case Step::kReserve:
        return Reserve{step.a % 9};
      case Step::kSettle: {
        Settle settle;
        settle.batch = {.number = 1 + step.a % 40,
                        .floor = 1 + step.b % 30,
                        .enters_history = step.b % 2 == 0,
                        .plain = plain,
                        .messages = {}};
        if (!rows_.empty()) settle.batch.messages.push_back({id, 10});
        return settle;
      }
      case Step::kFinish:
        return rows_.empty() ? Finish{} : Finish{{id}, {}};
      case Step::kClear:
        return ClearHistory{};
      case Step::kFloor:
        return RaiseFloor{step.a % 40};
      case Step::kKeep:
        return keep(step.a, step.b);
      case Step::kClose:
        return Close{1 + step.a % 20, 1 + step.b % 6, 1 + step.a % 4};
      case Step::kReset:
        return Reset{50 + step.a % 3, 1 + step.b % 9};
      default:
        return Renew{};
    }
  }

 private:
  Keep keep(unsigned a, unsigned b) const {
    Keep keep;
    keep.batch = {.incarnation = b % 11 == 10 ? 999 : disk_.peer_incarnation,
                  .life = 5 + b % 3,
                  .number = 1 + a % 20,
                  .settled = 1 + b % 13,
                  .enters_history = a % 3 != 0,
                  .plain = Bytes(1 + b % 7, 'p'),
                  .messages = {}};
    for (unsigned i = 0; i <= b % 3; ++i) {
      queue::NewMessage arrived;
      arrived.sinks = 1;
      arrived.origin = peer;
      arrived.origin_number = keep.batch.settled + a % 5 + i * (1 + b % 2);
      arrived.topic = fmt::format("down/{}", arrived.origin_number);
      keep.batch.messages.push_back(std::move(arrived));
    }
    return keep;
  }

  queue::MessageId row(queue::MessageId id) const { return rows_.at(static_cast<std::size_t>(id - 1)); }

  std::uint64_t commit(Store& s, const Write& write) {
    if (const auto* w = std::get_if<Accept>(&write)) {
      const auto one = message(w->mail.topic, std::string(w->mail.payload.begin(), w->mail.payload.end()));
      rows_.push_back(s.accept(std::span(&one, 1)).front().entry.id);
    }
    if (const auto* w = std::get_if<Reserve>(&write)) return s.reserve_batches(peer, w->count);
    if (const auto* w = std::get_if<Settle>(&write)) {
      auto batch = w->batch;
      for (auto& cost : batch.messages) cost.id = row(cost.id);
      s.settle(peer, link, batch);
    }
    if (const auto* w = std::get_if<Finish>(&write)) {
      std::vector<queue::Finished> ends;
      for (const auto id : w->ids)
        ends.push_back({row(id), queue::State::kDropped, queue::DropReason::kOperator});
      s.finish(ends);
    }
    if (std::holds_alternative<ClearHistory>(write)) s.clear_history(peer, 0);
    if (const auto* w = std::get_if<RaiseFloor>(&write)) s.raise_floor(peer, w->floor);
    if (const auto* w = std::get_if<Keep>(&write)) s.receive(peer, link, w->batch);
    if (const auto* w = std::get_if<Close>(&write)) s.void_batches(peer, w->first, w->count, w->life);
    if (const auto* w = std::get_if<Reset>(&write)) s.reset_receive(peer, w->incarnation, w->floor);
    if (std::holds_alternative<Renew>(write)) s.renew_incarnation(peer);
    return 0;
  }

  void start() {
    reopen();
    const auto real = run([&](Store& s) { return s.load_send(peer); });
    const auto memory = disk_.load_send(life_, flaw_);
    same(memory.batch_floor, real.batch_floor, "the floor that a start reads");
    same(memory.batch_next, real.batch_next, "the next batch number");
    same(memory.batch_end, real.batch_end, "the end of the batch numbers");
    same(memory.next_message, real.next_message, "the next message number");
    same(memory.lives.size(), real.lives.size(), "the lives that the peer may know");
    for (std::size_t i = 0; i < real.lives.size(); ++i)
      same(std::pair(memory.lives[i].message_end, memory.lives[i].batch_end),
           std::pair(real.lives[i].message_end, real.lives[i].batch_end), "where a life's numbers end");
    same(parts(memory.history), parts(real.history), "the sending history that a start reads");
    same(memory.queued.size(), real.queued.size(), "what is queued at a start");
    for (std::size_t i = 0; i < real.queued.size(); ++i)
      same(memory.queued[i].number, real.queued[i].number, "the numbers of what is queued");
    compare();
  }

  void compare() {
    const auto real = run([&](Store& s) { return s.load_receive(peer); });
    const auto memory = disk_.load_receive();
    same(memory.incarnation, real.incarnation, "the peer's incarnation");
    same(memory.life, real.life, "the peer's life");
    same(std::pair(memory.numbers.low(), memory.numbers.runs()),
         std::pair(real.numbers.low(), real.numbers.runs()), "the message numbers that are here");
    same(std::pair(memory.batches.low(), memory.batches.runs()),
         std::pair(real.batches.low(), real.batches.runs()), "the closed batches");
    same(parts(memory.history), parts(real.history), "the receiving history");
    same(static_cast<std::int64_t>(disk_.floor), query("SELECT batch_floor FROM peer"), "the floor");
    same(static_cast<std::int64_t>(disk_.sent.size()), query("SELECT count(*) FROM history WHERE outgoing = 1"),
         "the sending history");
    same(static_cast<std::int64_t>(disk_.number_end), query("SELECT number_end FROM peer"),
         "the end of the message numbers");
    for (std::size_t i = 0; i < rows_.size(); ++i)
      same(static_cast<std::int64_t>(disk_.messages.at(i).state),
           query(fmt::format("SELECT state FROM message WHERE id = {}", rows_[i])), "the state of a message");
    std::map<std::string, int> arrived;
    queue::Statement topics(store->database(), "SELECT topic FROM message WHERE peer = 0");
    while (topics.step()) ++arrived[topics.text(0)];
    same(disk_.arrived, arrived, "what has arrived");
  }

  Flaw flaw_;
  Disk disk_;
  Disk::Life life_;
  std::vector<queue::MessageId> rows_;  // in the store, of the messages on disk_
};

std::vector<Step> random_steps(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Step> steps(120);
  for (auto& step : steps) {
    // Half of the writes are those that move messages.
    const auto kind = random() % 2 ? random() % Step::kKinds : (random() % 2 ? Step::kKeep : Step::kSettle);
    step = {static_cast<Step::Kind>(kind), static_cast<unsigned>(random() % 100),
            static_cast<unsigned>(random() % 100)};
  }
  return steps;
}

std::optional<std::string> difference(std::uint32_t seed, Flaw flaw) {
  const auto fails = [&](const std::vector<Step>& steps) -> std::optional<std::string> {
    Twins twins(flaw);
    try {
      for (const auto& step : steps) twins.take(step);
    } catch (const std::exception& error) {
      return error.what();
    }
    return std::nullopt;
  };
  const auto simpler = [](const Step& step) {
    std::vector<Step> steps;
    for (const auto a : smaller(step.a)) steps.push_back({step.kind, a, step.b});
    for (const auto b : smaller(step.b)) steps.push_back({step.kind, step.a, b});
    return steps;
  };
  const auto words = [&](const Step& step) {
    return step.kind == Step::kStart ? "a start" : explore::words(Twins(flaw).made(step));
  };
  return failure_of(seed, random_steps, fails, simpler, words);
}

}  // namespace

TEST_CASE("The store in memory does what the real one does") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed)
    if (const auto found = difference(seed, Flaw::kNone)) FAIL(*found);
}

TEST_CASE("A store in memory that does not is found out by a few writes") {
  const auto flaw = GENERATE(Flaw::kForgetsSettled, Flaw::kForgetsMessageNumbers, Flaw::kReusesBatchNumbers,
                             Flaw::kKeepsVoidedHistory, Flaw::kConfirmsVoidsUnwritten);
  std::optional<std::string> found;
  for (std::uint32_t seed = 1; seed <= 20 && !found; ++seed) found = difference(seed, flaw);
  REQUIRE(found);
  INFO(*found);
  CHECK(std::count(found->begin(), found->end(), '\n') <= 4);
}

}  // namespace tulpar::link::explore
