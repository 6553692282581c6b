// SPDX-License-Identifier: Apache-2.0
//
// Runs steps on a store and on its model and compares the two after each: for store_property_test.cpp.
//
// A step means something in every state, so that a run can be shortened anywhere: a message that there is not
// is the last that there is. A difference throws std::runtime_error that names it.
#pragma once

#include "tests/queue/store_fixture.hpp"
#include "tests/queue/store_model.hpp"

namespace tulpar::queue {

struct StoreStep {
  enum Kind {
    kAccept,
    kFinish,
    kFly,
    kComeBack,
    kSettle,
    kRelease,
    kReclassify,
    kReceive,
    kClose,
    kReset,
    kReserve,
    kRaiseFloor,
    kClearHistory,
    kBook,
    kErase,
    kFail,     // a group that did a bit of everything is rolled back
    kCrash,    // before its commit
    kStart,    // the file is closed and opened
    kBackUp,   // and copied in between
    kRestore,  // and the copy brought back
    kClone,    // and a second machine runs on the copy
  };
  static constexpr unsigned kKinds = kClone + 1;
  Kind kind = kAccept;
  unsigned a = 0, b = 0, c = 0;
};
std::string words(const StoreStep& step);

// Differences as exceptions: an assertion of the test framework would end the search for a shorter run.
void same(const auto& store, const auto& model, const std::string& what) {
  if (!(store == model)) throw std::runtime_error("the store and its model differ in " + what);
}
inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

class StoreMachine : public StoreFixture {
 public:
  explicit StoreMachine(StoreModel::Mistake mistake = StoreModel::Mistake::kNone);
  void take(const StoreStep& step);

 private:
  NewMessage message_of(const StoreStep& step) const;
  ReceivedBatch batch_of(const StoreStep& step) const;
  MessageId some(unsigned which) const;

  void act(const StoreStep& step);
  void accept(const StoreStep& step);
  void on_message(MessageId id, const StoreStep& step);
  void receive(const StoreStep& step);
  void do_a_bit_of_everything(Store& s, const StoreStep& step);
  void erase(const StoreStep& step);
  void start();
  void back_up();
  void restore();
  void clone();
  void take_name(std::uint64_t name);

  void compare();
  void compare_messages();
  void compare_books();
  void compare_link();

  StoreModel model_;
  std::uint64_t highest_given_ = 0;   // message number in this life, also to a group that failed
  std::set<std::uint64_t> names_;     // every incarnation that was ever ours
  std::optional<StoreModel> backup_;  // the model of the copy
};

}  // namespace tulpar::queue
