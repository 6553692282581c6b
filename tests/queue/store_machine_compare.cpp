// SPDX-License-Identifier: Apache-2.0
//
// What a store holds beside what its model holds, and the words for a step.
#include <fmt/format.h>

#include "tests/queue/store_machine.hpp"

namespace tulpar::queue {
namespace {

// Numbers of the steps are below; whatever is above is not touched.
constexpr std::uint64_t kLooked = 64;

}  // namespace

void StoreMachine::compare() {
  require(balanced(), "the books do not balance");
  compare_messages();
  compare_books();
  compare_link();
}

void StoreMachine::compare_messages() {
  Statement rows(store->database(),
                 "SELECT id, state, owed, number, class - 1, topic, bytes, peer, "
                 "EXISTS(SELECT 1 FROM body WHERE body.id = message.id) FROM message ORDER BY id");
  auto model = model_.messages.begin();
  for (; rows.step(); ++model) {
    same(model != model_.messages.end() && rows.integer(0) == model->first, true, "which messages there are");
    const auto& [id, message] = *model;
    const std::string name = fmt::format("message {}: its ", id);
    same(rows.integer(1), static_cast<std::int64_t>(message.state), name + "state");
    same(rows.number(2), message.owed, name + "debts");
    same(rows.number(3), message.number, name + "number");
    same(rows.integer(4), std::int64_t{message.cls}, name + "class");
    same(rows.text(5), message.topic, name + "topic");
    same(rows.integer(6), std::int64_t{message.bytes}, name + "size");
    same(rows.integer(7), std::int64_t{message.peer}, name + "destination");
    same(rows.integer(8) != 0, message.has_body, name + "body");
  }
  same(model == model_.messages.end(), true, "which messages there are");
}

void StoreMachine::compare_books() {
  const std::string columns = "accepted, delivered, expired, conflated, dropped, queued, duplicates";
  for (const auto& [key, book] : model_.books) {
    Statement row(store->database(),
                  fmt::format("SELECT {} FROM book WHERE edge = ?1 AND class = ?2", columns));
    same(row(key.first ? 1 : 0, key.second + 1).step(), true, "which books there are");
    const std::int64_t model[] = {book.accepted, book.delivered, book.expired,   book.conflated,
                                  book.dropped,  book.queued,    book.duplicates};
    for (int i = 0; i < 7; ++i)
      same(row.integer(i), model[i],
           fmt::format("the book of class {}, column {} of {}", key.second, i + 1, columns));
  }
  for (const auto& [key, count] : model_.drops) {
    Statement row(store->database(), "SELECT sum(count) FROM drops WHERE edge = ?1 AND reason = ?2");
    row(key.first ? 1 : 0, static_cast<int>(key.second)).step();
    same(row.integer(0), count, fmt::format("what was dropped as {}", to_string(key.second)));
  }
}

void StoreMachine::compare_link() {
  const auto receive = run([&](Store& s) { return s.load_receive(peer); });
  same(receive.incarnation, model_.incarnation, "the peer's name");
  for (std::uint64_t number = 1; number < kLooked; ++number) {
    same(receive.numbers.contains(number), model_.has_number(number), fmt::format("message number {}", number));
    same(receive.batches.contains(number), model_.is_closed(number), fmt::format("batch number {}", number));
  }
  const auto history = [&](int outgoing) {
    std::set<std::uint64_t> batches;
    Statement rows(store->database(), "SELECT batch FROM history WHERE outgoing = ?1");
    for (rows(outgoing); rows.step();) batches.insert(rows.number(0));
    return batches;
  };
  same(history(0), model_.received, "the receiving history");
  same(history(1), model_.sent, "the sending history");
  const auto totals = run([&](Store& s) { return s.totals(link); });
  same(totals.payload_up, model_.totals.payload_up, "the payload up");
  same(totals.payload_down, model_.totals.payload_down, "the payload down");
  same(totals.frame_up, model_.totals.frame_up, "the frames up");
  same(totals.wire_up, model_.totals.wire_up, "the wire bytes up");
  same(totals.wire_down, model_.totals.wire_down, "the wire bytes down");
  same(query("SELECT coalesce(sum(wire_up), 0) FROM usage WHERE resolution = 0"), model_.totals.wire_up,
       "the wire bytes of the months");
}

std::string words(const StoreStep& step) {
  const auto [kind, a, b, c] = step;
  const std::string some = fmt::format("message {} (or the last)", a + 1);
  switch (kind) {
    case StoreStep::kAccept:
      return fmt::format("a message is accepted (a {} b {} c {})", a, b, c);
    case StoreStep::kFinish:
      return fmt::format("{} ends otherwise (b {})", some, b);
    case StoreStep::kFly:
      return fmt::format("{} is part of a batch that begins", some);
    case StoreStep::kComeBack:
      return fmt::format("{} is queued again", some);
    case StoreStep::kSettle:
      return fmt::format("{} is delivered with batch {}; floor {}", some, 1 + b, 1 + c);
    case StoreStep::kRelease:
      return fmt::format("{} is {} by sink {}", some, c % 2 ? "taken" : "refused", b % 3);
    case StoreStep::kReclassify:
      return fmt::format("{} becomes {}", some, kClassNames[b % 5]);
    case StoreStep::kReceive:
      return fmt::format("batch {} arrives, settled {} (a {} b {} c {})", 1 + a % 12, 1 + b % 10, a, b, c);
    case StoreStep::kClose:
      return fmt::format("batches {} to {} are void", 1 + a % 12, a % 12 + 1 + b % 5);
    case StoreStep::kReset:
      return fmt::format("the peer begins anew as {}, floor {}", 50 + a % 3, 1 + b % 6);
    case StoreStep::kReserve:
      return fmt::format("{} batch numbers are reserved", a);
    case StoreStep::kRaiseFloor:
      return fmt::format("the floor rises to {}", a);
    case StoreStep::kClearHistory:
      return fmt::format("the sending history is forgotten, and begins at batch {}", a);
    case StoreStep::kBook:
      return fmt::format("{} and {} wire bytes are booked", a, b);
    case StoreStep::kErase:
      return fmt::format("{} minutes pass, and what is old is erased", a * 10);
    case StoreStep::kFail:
      return fmt::format("a group FAILS (a {} b {} c {})", a, b, c);
    case StoreStep::kCrash:
      return fmt::format("a CRASH before the commit of a group (a {} b {} c {})", a, b, c);
    case StoreStep::kStart:
      return "the store is closed and opened";
    case StoreStep::kBackUp:
      return "the file is copied";
    case StoreStep::kRestore:
      return "the copy is brought BACK, and the store renamed";
    case StoreStep::kClone:
      return "a CLONE begins on a copy";
  }
  return {};
}

}  // namespace tulpar::queue
