// SPDX-License-Identifier: Apache-2.0
//
// Random operations on a store beside a model in memory; the file is closed and opened and groups fail in
// between.
#include <fmt/format.h>

#include <random>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

struct Known {
  PeerId peer = kEdge;
  ClassId cls = 0;
  State state = State::kQueued;
  std::uint64_t owed = 0;
  bool given = false;
};

struct Model {
  std::map<MessageId, Known> messages;
  std::map<std::pair<bool, ClassId>, Book> books;
  std::uint64_t highest_number = 0;    // given in this life, if only to a group that failed
  std::uint64_t committed_number = 0;  // given to a message
  std::uint64_t next_batch = 1;
  MessageId last_id = 0;

  bool unfinished(MessageId id) const { return messages.at(id).state < State::kDelivered; }
  void end(MessageId id, State state) {
    auto& message = messages.at(id);
    auto& book = books[{message.peer == kEdge, message.cls}];
    --book.queued;
    ++(state == State::kDelivered   ? book.delivered
       : state == State::kExpired   ? book.expired
       : state == State::kConflated ? book.conflated
                                    : book.dropped);
    message.state = state;
  }
};

class Run : public StoreFixture {
 public:
  explicit Run(unsigned seed) : random_(seed) {}

  void step() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return accept();
      case 3:
        return finish();
      case 4:
        return fly();
      case 5:
        return back();
      case 6:
        return settle();
      case 7:
        return release();
      case 8:
        return reclassify();
      default:
        return below(3) ? fail() : reopen_file();
    }
  }

  void check() {
    REQUIRE(balanced());
    Statement rows(store->database(), "SELECT id, state, owed, number FROM message ORDER BY id");
    std::size_t found = 0;
    for (; rows.step(); ++found) {
      const auto& known = model_.messages.at(rows.integer(0));
      REQUIRE(static_cast<State>(rows.integer(1)) == known.state);
      if (model_.unfinished(rows.integer(0))) REQUIRE(rows.number(2) == known.owed);
    }
    REQUIRE(found == model_.messages.size());
    for (const auto& [key, book] : model_.books) {
      Statement row(store->database(),
                    "SELECT accepted, delivered, expired, conflated, dropped, queued FROM book "
                    "WHERE edge = ?1 AND class = ?2");
      REQUIRE(row(key.first ? 1 : 0, key.second + 1).step());
      const std::int64_t expected[] = {book.accepted,  book.delivered, book.expired,
                                       book.conflated, book.dropped,   book.queued};
      for (int i = 0; i < 6; ++i) REQUIRE(row.integer(i) == expected[i]);
    }
  }

 private:
  unsigned below(unsigned bound) { return random_() % bound; }
  MessageId some() {
    if (model_.messages.empty()) return 0;
    return std::next(model_.messages.begin(), below(static_cast<unsigned>(model_.messages.size())))->first;
  }
  NewMessage random_message() {
    NewMessage made = message("t", std::string(below(50), 'x'));
    if (below(2)) {
      made.peer = kEdge;
      made.sinks = below(8);
    }
    made.cls = static_cast<ClassId>(below(5));
    if (below(12) == 0) made.drop = DropReason::kPolicy;
    return made;
  }

  void accept() {
    std::vector<NewMessage> group(1 + below(3));
    for (auto& one : group) one = random_message();
    const auto accepted = run([&](Store& s) { return s.accept(group); });
    for (std::size_t i = 0; i < group.size(); ++i) {
      const auto& made = group[i];
      auto& book = model_.books[{made.peer == kEdge, made.cls}];
      ++book.accepted;
      if (made.drop != DropReason::kNone) {
        ++book.dropped;
      } else if (made.peer == kEdge && made.sinks == 0) {
        ++book.delivered;
        model_.messages[++model_.last_id] = {kEdge, made.cls, State::kDelivered, 0, false};
      } else {
        ++book.queued;
        const auto& entry = accepted[i].entry;
        REQUIRE(entry.id == ++model_.last_id);
        REQUIRE((made.peer == kEdge) == (entry.number == 0));
        if (entry.number) {
          REQUIRE(entry.number > model_.highest_number);
          model_.highest_number = model_.committed_number = entry.number;
        }
        model_.messages[entry.id] = {made.peer, made.cls, State::kQueued, made.sinks, false};
      }
    }
  }

  void finish() {
    const MessageId id = some();
    const State ends[] = {State::kExpired, State::kConflated, State::kDropped};
    const Finished one{id, ends[below(3)], DropReason::kOperator};
    const bool expected = id && model_.messages.at(id).state == State::kQueued;
    REQUIRE(run([&](Store& s) { return s.finish(std::span(&one, 1)); }) == (expected ? 1 : 0));
    if (expected) model_.end(id, one.state);
  }

  void fly() {
    const MessageId id = some();
    if (!id || model_.messages.at(id).peer == kEdge) return;
    run([&](Store& s) { s.mark_in_flight(std::span(&id, 1), model_.next_batch++); });
    if (model_.unfinished(id)) model_.messages.at(id).state = State::kInFlight;
  }

  void back() {
    const MessageId id = some();
    run([&](Store& s) { s.mark_queued(std::span(&id, 1)); });
    if (id && model_.messages.at(id).state == State::kInFlight) model_.messages.at(id).state = State::kQueued;
  }

  void settle() {
    const MessageId id = some();
    if (!id || model_.messages.at(id).peer == kEdge) return;
    SettledBatch batch{.number = model_.next_batch++, .plain = {}, .messages = {{id, 10 + below(90)}}};
    run([&](Store& s) { s.settle(peer, link, batch); });
    if (model_.unfinished(id)) model_.end(id, State::kDelivered);
  }

  void release() {
    const MessageId id = some();
    if (!id) return;
    const int bit = static_cast<int>(below(3));
    const bool takes = below(2);
    const bool expected = model_.unfinished(id) && (model_.messages.at(id).owed >> bit & 1);
    REQUIRE(run([&](Store& s) {
              return s.release(std::span(&id, 1), bit, takes ? DropReason::kNone : DropReason::kRefused);
            }) == (expected ? 1 : 0));
    if (!expected) return;
    auto& known = model_.messages.at(id);
    known.owed &= ~(std::uint64_t{1} << bit);
    known.given = known.given || takes;
    if (known.owed == 0) model_.end(id, known.given ? State::kDelivered : State::kDropped);
  }

  void reclassify() {
    const MessageId id = some();
    if (!id) return;
    const auto cls = static_cast<ClassId>(below(5));
    auto& known = model_.messages.at(id);
    const bool expected = known.state == State::kQueued;
    REQUIRE(run([&](Store& s) { return s.reclassify(id, cls); }) == expected);
    if (!expected) return;
    auto& from = model_.books[{known.peer == kEdge, known.cls}];
    --from.accepted;
    --from.queued;
    known.cls = cls;
    auto& to = model_.books[{known.peer == kEdge, cls}];
    ++to.accepted;
    ++to.queued;
  }

  // A group that did a bit of everything, and then its last operation throws.
  void fail() {
    const MessageId id = some();
    std::uint64_t highest = 0;
    const std::vector<NewMessage> group = {random_message(), random_message(), message()};
    CHECK_THROWS_AS(run([&](Store& s) {
                      for (const auto& one : s.accept(group)) highest = std::max(highest, one.entry.number);
                      s.release(std::span(&id, 1), 0, DropReason::kNone);
                      s.book(link, {.wire_up = 1000});
                      s.database().execute("SELECT * FROM no_such_table");
                    }),
                    StoreError);
    // The numbers that the failed group gave are not given again in this life.
    model_.highest_number = std::max(model_.highest_number, highest);
    REQUIRE(balanced());
  }

  void reopen_file() {
    reopen();
    const auto state = run([&](Store& s) { return s.load_send(peer); });
    REQUIRE(state.next_message > model_.committed_number);
    model_.highest_number = model_.committed_number;
    REQUIRE(state.batch_next >= state.batch_floor);
    REQUIRE(state.batch_end > state.batch_next);
    std::vector<MessageId> expected;
    for (auto& [id, known] : model_.messages) {
      if (known.state == State::kInFlight) known.state = State::kQueued;
      if (known.peer == peer && known.state == State::kQueued) expected.push_back(id);
    }
    std::vector<MessageId> found;
    for (const auto& entry : state.queued) found.push_back(entry.id);
    REQUIRE(found == expected);
    std::map<MessageId, std::uint64_t> owed, expected_owed;
    for (const auto& [entry, sinks] : store->load_edge()) owed[entry.id] = sinks;
    for (const auto& [id, known] : model_.messages)
      if (known.peer == kEdge && model_.unfinished(id)) expected_owed[id] = known.owed;
    REQUIRE(owed == expected_owed);
  }

  std::mt19937 random_;
  Model model_;
};

}  // namespace

TEST_CASE("A store agrees with a model under random operations, failures and restarts") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    Run run(seed);
    for (int step = 0; step < 150; ++step) {
      INFO("step " << step);
      run.step();
      run.check();
    }
  }
}

}  // namespace tulpar::queue
