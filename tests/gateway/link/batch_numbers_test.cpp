// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/batch_numbers.hpp"

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

queue::NumberSet below(std::uint64_t low) { return queue::NumberSet(low); }

}  // namespace

TEST_CASE("An acknowledgement's numbers") {
  const auto set = numbers_of({.cumulative = 4, .runs = {{2, 3}, {1, 1}}});
  CHECK(set.low() == 5);
  for (const std::uint64_t closed : {1, 4, 7, 8, 9, 11}) CHECK(set.contains(closed));
  for (const std::uint64_t open : {5, 6, 10, 12}) CHECK_FALSE(set.contains(open));
}

TEST_CASE("Batch numbers are taken from reserved blocks only") {
  BatchNumbers numbers(1, 1, 3);
  CHECK(numbers.wants_block());
  CHECK_FALSE(numbers.wants_block());  // one at a time
  CHECK(numbers.take() == 1);
  CHECK(numbers.take() == 2);
  CHECK_FALSE(numbers.available(true));
  numbers.on_reserved(200);
  CHECK(numbers.available(true));
  CHECK(numbers.take() == 3);
  CHECK_FALSE(numbers.wants_block());
  // An answer that came late takes nothing back.
  numbers.on_reserved(3);
  CHECK(numbers.available(true));
}

TEST_CASE("The last batch numbers of what is reserved are for urgent batches, and more are asked for before") {
  BatchNumbers numbers(1, 1, 1 + BatchNumbers::kBlock);
  bool asked = false;
  while (numbers.available(false)) {
    asked = asked || numbers.wants_block();
    numbers.take();
  }
  CHECK(asked);
  std::uint64_t left = 0;
  for (; numbers.available(true); ++left) numbers.take();
  CHECK(left == BatchNumbers::kForUrgent);
}

TEST_CASE("What the life before used is void until its fresh end is confirmed") {
  BatchNumbers numbers(5, 20, 84);
  CHECK(numbers.next() == 21);  // 20 ends the void and is used for nothing else
  Greeting greeting;
  numbers.describe(greeting);
  CHECK(greeting.floor == 5);
  CHECK(greeting.void_count == 16);
  CHECK(greeting.next == 21);
  // The peer had 5 to 7 before: that says nothing about 8 to 19.
  CHECK_FALSE(numbers.confirm(below(8)));
  CHECK(numbers.closed().low() == 5);
  CHECK(numbers.confirm(below(21)));
  CHECK(numbers.closed().low() == 21);
  numbers.describe(greeting);
  CHECK(greeting.void_count == 0);
}

TEST_CASE("A number that was given up is told until it is confirmed") {
  BatchNumbers numbers(1, 1, 65);
  numbers.on_connected();
  for (int i = 0; i < 3; ++i) numbers.take();
  numbers.give_up(2);
  CHECK(numbers.voids_due());
  FrameBuilder tiny(1), frame(100);
  CHECK_FALSE(numbers.put_voids(tiny));
  CHECK(numbers.voids_due());
  REQUIRE(numbers.put_voids(frame));
  CHECK_FALSE(numbers.voids_due());
  const auto items = decode_frame(frame.take());
  REQUIRE(items.has_value());
  CHECK(std::get<Void>(items->at(0)).first == 2);
  // Maybe it was lost with the session.
  numbers.on_connected();
  CHECK(numbers.voids_due());
  numbers.close(1);
  CHECK(numbers.confirm(below(3)));
  CHECK(numbers.closed().low() == 3);
  numbers.on_connected();
  CHECK_FALSE(numbers.voids_due());
}

TEST_CASE("A peer that greets with other numbers than it had is found out") {
  BatchNumbers numbers(1, 1, 65);
  for (int i = 0; i < 3; ++i) numbers.take();
  numbers.close(1);
  numbers.close(2);
  Greeting greeting;
  numbers.describe(greeting);
  CHECK(numbers.check(below(3)).has_value());
  CHECK(numbers.check(below(4)).has_value());
  CHECK_FALSE(numbers.check(below(5)).has_value());  // was never sent
  CHECK_FALSE(numbers.check(below(2)).has_value());  // 2 was confirmed
  auto holes = below(2);
  holes.add(3);
  CHECK_FALSE(numbers.check(holes).has_value());
}

TEST_CASE("A new incarnation closes all that was") {
  BatchNumbers numbers(1, 1, 65);
  for (int i = 0; i < 4; ++i) numbers.take();
  numbers.give_up(2);
  numbers.renew();
  CHECK(numbers.closed().low() == 5);
  CHECK_FALSE(numbers.voids_due());
  Greeting greeting;
  numbers.describe(greeting);
  CHECK(greeting.floor == 5);
  CHECK(greeting.void_count == 0);
  CHECK(numbers.take() == 5);
}

}  // namespace tulpar::link
