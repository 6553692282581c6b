// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/message_numbers.hpp"

#include "tests/catch.hpp"

namespace tulpar::link {

using queue::kNumberBlock;
using queue::kNumbersAside;

TEST_CASE("Message numbers: what does not wait at the start is finished") {
  MessageNumbers numbers(10);
  for (const std::uint64_t waiting : {4, 8, 5}) numbers.waits(waiting);
  numbers.loaded();
  CHECK(numbers.settled() == 4);
  numbers.finish(4);
  numbers.finish(5);
  CHECK(numbers.settled() == 8);
  numbers.finish(8);
  CHECK(numbers.settled() == 10);
}

TEST_CASE("Message numbers: those that a failed transaction took are finished once later ones come") {
  MessageNumbers numbers(1);
  numbers.loaded();
  numbers.accepted(1);
  numbers.accepted(5);  // 2 to 4 were rolled back
  numbers.finish(1);
  CHECK(numbers.settled() == 5);
  numbers.finish(5);
  CHECK(numbers.settled() == 6);
}

TEST_CASE("Message numbers: in a new block those of the last that are set aside are open if they were given") {
  MessageNumbers numbers(1);
  numbers.loaded();
  const auto aside = numbers.take_aside();
  REQUIRE(aside == kNumberBlock - kNumbersAside);
  REQUIRE(numbers.take_aside() == *aside + 1);
  numbers.finish(*aside + 1);
  numbers.accepted(kNumberBlock);
  CHECK(numbers.settled() == *aside);
  numbers.finish(*aside);
  CHECK(numbers.settled() == kNumberBlock);
  CHECK(numbers.take_aside() == 2 * kNumberBlock - kNumbersAside);
}

TEST_CASE("Message numbers: so many are set aside, and they hold nothing back") {
  MessageNumbers numbers(1);
  numbers.loaded();
  for (std::uint64_t left = kNumbersAside; left > 0; --left) {
    CHECK(numbers.asides_left() == left);
    REQUIRE(numbers.take_aside());
  }
  CHECK_FALSE(numbers.take_aside());
  numbers.accepted(1);
  numbers.finish(1);
  CHECK(numbers.settled() == 2);
  numbers.begin_block(kNumberBlock);
  CHECK(numbers.asides_left() == kNumbersAside);
}

TEST_CASE("Message numbers: the next one is above all that were sent") {
  MessageNumbers numbers(7);
  numbers.loaded();
  CHECK(numbers.next() == 7);
  numbers.sent(9);
  numbers.sent(8);
  CHECK(numbers.next() == 10);
}

}  // namespace tulpar::link
