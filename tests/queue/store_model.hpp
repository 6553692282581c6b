// SPDX-License-Identifier: Apache-2.0
//
// What a store should hold, as a few maps and sets: the reference for store_property_test.cpp.
//
// Plain value, so that a backup is a copy. It says what must be, not how: no file, no SQL, no blocks of
// numbers. Its operations are those of Store; what they answer is what Store should answer.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "queue/store.hpp"

namespace tulpar::queue {

class StoreModel {
 public:
  // What a careless store would do; the tests show that each is noticed.
  enum class Mistake {
    kNone,
    kCopiesAreNews,
    kForgetsSettled,
    kFinishesTwice,
    kReceivesTwice,
    kKeepsVoided,
    kOldSettlesReturn
  };

  struct Message {
    PeerId peer = kEdge;
    ClassId cls = 0;
    std::string topic;
    std::uint32_t bytes = 0;
    std::uint64_t number = 0;  // towards the peer
    State state = State::kQueued;
    std::uint64_t owed = 0;
    bool given = false;
    BootTime finished{};
    // From when on its story is kept; of one that ends where it is accepted: from the first time that what is
    // old is erased.
    std::optional<BootTime> story;
    bool has_body = true;
    bool unfinished() const { return state < State::kDelivered; }
  };

  explicit StoreModel(Mistake mistake = Mistake::kNone) : mistake_(mistake) {}

  // Nothing is stored: a copy, dropped at once. `id` and `number` are what the store gave.
  bool is_copy(const NewMessage& message) const;
  bool is_kept(const NewMessage& message) const {
    return !is_copy(message) && message.drop == DropReason::kNone;
  }
  void accept(const NewMessage& message, MessageId id, std::uint64_t number, BootTime now);
  bool finish(MessageId id, State state, DropReason why, BootTime now);
  void fly(MessageId id);
  void come_back(MessageId id);
  bool release(MessageId id, int bit, DropReason why, BootTime now);
  bool reclassify(MessageId id, ClassId cls);
  void settle(const SettledBatch& batch, BootTime now);
  // The message numbers of a batch that are new, in ascending order as they come; nothing: the store must
  // refuse it.
  std::optional<std::vector<std::uint64_t>> news(const ReceivedBatch& batch) const;
  // After that: those messages were accepted.
  void receive(const ReceivedBatch& batch);
  void close(std::uint64_t first, std::uint64_t count);
  void reset(std::uint64_t incarnation, std::uint64_t floor);
  void clear_history(std::uint64_t from);
  void raise_floor(std::uint64_t to) { floor = std::max(floor, to); }
  // A new life, with batch numbers up to `end`: what was in flight is queued again, what was used and is not
  // settled is cut from the history.
  void start(std::uint64_t end);
  void erase(Millis keep, Millis keep_story, BootTime now);

  bool has_number(std::uint64_t number) const { return number < low || numbers.contains(number); }
  bool is_closed(std::uint64_t batch) const { return batch < closed_below || closed.contains(batch); }
  std::vector<MessageId> waiting(PeerId peer) const;

  std::map<MessageId, Message> messages;
  std::map<std::pair<bool, ClassId>, Book> books;
  std::map<std::pair<bool, DropReason>, std::int64_t> drops;
  LinkBytes totals;
  // Sending.
  std::uint64_t floor = 1, batch_end = 1, highest_number = 0;
  std::uint64_t history_from = 0;  // in memory only
  std::set<std::uint64_t> sent;    // batches in the history
  // Receiving.
  std::uint64_t incarnation = 0, low = 1, closed_below = 1;
  std::set<std::uint64_t> numbers, closed, received;

 private:
  void end(Message& message, State state, DropReason why, BootTime now);
  Book& book(const Message& message) { return books[{message.peer == kEdge, message.cls}]; }

  Mistake mistake_;
  std::set<std::pair<std::uint64_t, PeerId>> seen_;  // packets and where they were seen
};

}  // namespace tulpar::queue
