// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/store_machine.hpp"

#include <fmt/format.h>

namespace tulpar::queue {
namespace {

constexpr Millis kKeepBodies = std::chrono::hours(1), kKeepStories = std::chrono::hours(5);

}  // namespace

StoreMachine::StoreMachine(StoreModel::Mistake mistake) : model_(mistake) {
  names_.insert(static_cast<std::uint64_t>(query("SELECT own_incarnation FROM peer")));
  start();
}

void StoreMachine::take(const StoreStep& step) {
  act(step);
  compare();
}

// ---- what the numbers of a step stand for

MessageId StoreMachine::some(unsigned which) const {
  return std::next(model_.messages.begin(), std::min<std::ptrdiff_t>(which, std::ssize(model_.messages) - 1))
      ->first;
}

NewMessage StoreMachine::message_of(const StoreStep& step) const {
  NewMessage made = message(fmt::format("t/{}", step.c % 3), std::string(step.a, 'x'));
  made.cls = static_cast<ClassId>(step.a % 5);
  if (step.b % 3 == 1) {
    made.peer = kEdge;
    made.sinks = step.b / 3 % 8;
  }
  if (step.c % 5 == 1) made.packet = 1 + step.c / 5 % 4;
  if (step.c % 11 == 7) made.drop = DropReason::kPolicy;
  return made;
}

ReceivedBatch StoreMachine::batch_of(const StoreStep& step) const {
  ReceivedBatch batch{.incarnation = step.b % 9 == 8 ? model_.incarnation + 1 : model_.incarnation,
                      .number = 1 + step.a % 12,
                      .settled = 1 + step.b % 10,
                      .enters_history = step.a % 2 == 1,
                      .plain = Bytes(1 + step.c % 4, 'p'),
                      .messages = {}};
  for (unsigned i = 0; i <= step.c % 3; ++i) {
    const std::uint64_t number = batch.settled + step.c / 3 % 4 + i * (1 + step.b % 2);
    // The same number is the same message, always.
    NewMessage made = message(fmt::format("from/{}", number), std::string(number, 'y'));
    made.peer = kEdge;
    made.sinks = 1 + number % 3;
    made.cls = static_cast<ClassId>(number % 5);
    if (number % 4 == 0) made.packet = 3 + number / 4;
    made.origin = peer;
    made.origin_incarnation = batch.incarnation;
    made.origin_number = number;
    batch.messages.push_back(std::move(made));
  }
  return batch;
}

// ---- steps

void StoreMachine::act(const StoreStep& step) {
  const auto link_write = [&](auto operation) { run([&](Store& s) { operation(s); }); };
  switch (step.kind) {
    case StoreStep::kAccept:
      return accept(step);
    case StoreStep::kFinish:
    case StoreStep::kFly:
    case StoreStep::kComeBack:
    case StoreStep::kSettle:
    case StoreStep::kRelease:
    case StoreStep::kReclassify:
      if (!model_.messages.empty()) on_message(some(step.a), step);
      return;
    case StoreStep::kReceive:
      return receive(step);
    case StoreStep::kClose:
      link_write([&](Store& s) { s.void_batches(peer, 1 + step.a % 12, 1 + step.b % 5, 1 + step.a % 3); });
      return model_.close(1 + step.a % 12, 1 + step.b % 5);
    case StoreStep::kReset:
      link_write([&](Store& s) { s.reset_receive(peer, 50 + step.a % 3, 1 + step.b % 6); });
      return model_.reset(50 + step.a % 3, 1 + step.b % 6);
    case StoreStep::kReserve:
      model_.batch_end += step.a;
      return same(run([&](Store& s) { return s.reserve_batches(peer, step.a); }), model_.batch_end,
                  "the end of the batch numbers");
    case StoreStep::kRaiseFloor:
      link_write([&](Store& s) { s.raise_floor(peer, step.a); });
      return model_.raise_floor(step.a);
    case StoreStep::kClearHistory:
      link_write([&](Store& s) { s.clear_history(peer, step.a); });
      return model_.clear_history(step.a);
    case StoreStep::kBook:
      model_.totals += {.wire_up = step.a, .wire_down = step.b};
      return link_write([&](Store& s) { s.book(link, {.wire_up = step.a, .wire_down = step.b}); });
    case StoreStep::kErase:
      return erase(step);
    case StoreStep::kFail:
      try {
        run([&](Store& s) {
          do_a_bit_of_everything(s, step);
          throw StoreError("as asked", SQLITE_FULL);
        });
      } catch (const StoreError&) {
      }
      return;
    case StoreStep::kCrash:
      store->database().execute("BEGIN IMMEDIATE");
      do_a_bit_of_everything(*store, step);
      return start();
    case StoreStep::kStart:
      return start();
    case StoreStep::kBackUp:
      return back_up();
    case StoreStep::kRestore:
      return restore();
    case StoreStep::kClone:
      return clone();
  }
}

void StoreMachine::accept(const StoreStep& step) {
  const auto made = message_of(step);
  const auto accepted = run([&](Store& s) { return s.accept(std::span(&made, 1)).front(); });
  same(accepted.duplicate, model_.is_copy(made), "what is a copy");
  const bool ends_here = made.peer == kEdge && made.sinks == 0;
  const bool kept = model_.is_kept(made);
  same(accepted.entry.id != 0, kept && !ends_here, "what waits");
  const MessageId id =
      ends_here ? store->database().query_int("SELECT max(id) FROM message") : accepted.entry.id;
  if (accepted.entry.number) {
    require(accepted.entry.number > highest_given_, "a message number was given before");
    highest_given_ = accepted.entry.number;
  }
  model_.accept(made, id, accepted.entry.number, clock.now());
}

void StoreMachine::on_message(MessageId id, const StoreStep& step) {
  const auto& message = model_.messages.at(id);
  const int bit = static_cast<int>(step.b % 3);
  const auto why = step.c % 2 ? DropReason::kNone : DropReason::kRefused;
  const Finished end{id, static_cast<State>(3 + step.b % 3), DropReason::kOperator};
  const auto cls = static_cast<ClassId>(step.b % 5);
  switch (step.kind) {
    case StoreStep::kFinish:
      return same(run([&](Store& s) { return s.finish(std::span(&end, 1)); }) == 1,
                  model_.finish(id, end.state, end.reason, clock.now()), "what may end");
    case StoreStep::kRelease:
      return same(run([&](Store& s) { return s.release(std::span(&id, 1), bit, why); }) == 1,
                  model_.release(id, bit, why, clock.now()), "what is owed");
    case StoreStep::kReclassify:
      return same(run([&](Store& s) { return s.reclassify(id, cls); }), model_.reclassify(id, cls),
                  "what may change its class");
    case StoreStep::kComeBack:
      run([&](Store& s) { s.mark_queued(std::span(&id, 1)); });
      return model_.come_back(id);
    default:
      break;
  }
  if (message.peer == kEdge) return;
  if (step.kind == StoreStep::kFly) {
    run([&](Store& s) { s.mark_in_flight(std::span(&id, 1), 1 + step.b); });
    return model_.fly(id);
  }
  const SettledBatch batch{.number = 1 + step.b,
                           .floor = 1 + step.c,
                           .enters_history = step.c % 2 == 1,
                           .plain = Bytes(3, 'p'),
                           .messages = {{id, 10 + step.c}}};
  run([&](Store& s) { s.settle(peer, link, batch); });
  model_.settle(batch, clock.now());
}

void StoreMachine::receive(const StoreStep& step) {
  const auto batch = batch_of(step);
  const auto news = model_.news(batch);
  std::optional<Store::Received> received;
  try {
    received = run([&](Store& s) { return s.receive(peer, link, batch); });
  } catch (const StoreError&) {
  }
  same(received.has_value(), news.has_value(), "what they refuse");
  if (!news) return;
  same(received->accepted.size(), news->size(), "what is new in a batch");
  std::size_t at = 0;
  for (const auto& message : batch.messages) {
    if (std::find(news->begin(), news->end(), message.origin_number) == news->end()) continue;
    const auto& accepted = received->accepted[at++];
    same(accepted.duplicate, model_.is_copy(message), "what is a copy");
    model_.accept(message, accepted.entry.id, 0, clock.now());
  }
  model_.receive(batch);
}

void StoreMachine::do_a_bit_of_everything(Store& s, const StoreStep& step) {
  auto up = message_of(step);
  up.packet = 0;
  up.drop = DropReason::kNone;
  highest_given_ = std::max(highest_given_, s.accept(std::span(&up, 1)).front().entry.number);
  if (!model_.messages.empty()) {
    const MessageId id = some(step.a);
    s.release(std::span(&id, 1), 0, DropReason::kNone);
    s.settle(peer, link,
             {.number = 1, .floor = 60, .enters_history = true, .plain = {1}, .messages = {{id, 5}}});
  }
  auto down = batch_of(step);
  down.incarnation = model_.incarnation;
  s.receive(peer, link, down);
  s.void_batches(peer, 1, 5, 1);
  s.book(link, {.wire_up = 1000});
  s.flush();
}

void StoreMachine::erase(const StoreStep& step) {
  clock.advance(std::chrono::minutes(step.a * 10));
  run([&](Store& s) { return s.erase_old(kKeepBodies, kKeepStories); });
  model_.erase(kKeepBodies, kKeepStories, clock.now());
}

// ---- lives

void StoreMachine::take_name(std::uint64_t name) {
  require(names_.insert(name).second, "a name was used before");
}

void StoreMachine::start() {
  reopen();
  const auto send = run([&](Store& s) { return s.load_send(peer); });
  const auto edge = run([&](Store& s) { return s.load_edge(); });
  same(send.batch_floor, model_.floor, "the floor that a start reads");
  same(send.batch_next, model_.batch_end, "the next batch number");
  require(send.batch_end > send.batch_next, "a start reserves no batch numbers");
  require(send.next_message > model_.highest_number, "a start may give a message number again");
  require(names_.contains(send.incarnation), "a start took another name");
  model_.start(send.batch_end);
  highest_given_ = send.next_message - 1;
  std::vector<MessageId> queued;
  for (const auto& entry : send.queued) queued.push_back(entry.id);
  same(queued, model_.waiting(peer), "what a start sends");
  std::map<MessageId, std::uint64_t> owed, expected;
  for (const auto& [entry, sinks] : edge) owed[entry.id] = sinks;
  for (const auto id : model_.waiting(kEdge)) expected[id] = model_.messages.at(id).owed;
  same(owed, expected, "what a start owes to the sinks");
}

void StoreMachine::back_up() {
  store.reset();
  std::filesystem::copy_file(path, path + ".old", std::filesystem::copy_options::overwrite_existing);
  backup_ = model_;
  start();
}

// The start cannot know it; the link tells, and then the store takes another name.
void StoreMachine::restore() {
  if (!backup_) return;
  store.reset();
  std::filesystem::copy_file(path + ".old", path, std::filesystem::copy_options::overwrite_existing);
  model_ = *backup_;
  start();
  take_name(run([&](Store& s) { return s.renew_incarnation(peer); }));
  model_.clear_history(0);
}

// Both go on from the same file, under names of their own.
void StoreMachine::clone() {
  store.reset();
  const std::string other = path + ".clone";
  std::filesystem::copy_file(path, other, std::filesystem::copy_options::overwrite_existing);
  start();
  auto twin = open_store(other, clock);
  const auto send = commit(*twin, [&](Store& s) { return s.load_send(peer); });
  take_name(commit(*twin, [&](Store& s) { return s.renew_incarnation(peer); }));
  std::vector<MessageId> queued;
  for (const auto& entry : send.queued) queued.push_back(entry.id);
  same(queued, model_.waiting(peer), "what a clone sends");
  const auto one = message();
  const auto number =
      commit(*twin, [&](Store& s) { return s.accept(std::span(&one, 1)).front().entry.number; });
  require(number > model_.highest_number, "a clone gives a message number again");
}

}  // namespace tulpar::queue
