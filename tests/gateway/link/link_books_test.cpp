// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/link_books.hpp"

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

constexpr BootTime kStart{std::chrono::hours(1)};

Greeting knows(std::uint64_t session, std::uint64_t received, std::uint64_t sent) {
  return {.last_session = session, .last_received = received, .last_sent = sent, .closed = {}, .partial = {}};
}

}  // namespace

TEST_CASE("Every byte is booked once, whenever it is asked for") {
  LinkBooks books({.wire_up = 1000, .wire_down = 500}, {});
  books.begin(7, true);
  books.count({100, 40});
  books.received(30);
  const auto first = books.take(kStart, true);
  REQUIRE(first);
  CHECK(first->bytes.wire_up == 100);
  CHECK(first->bytes.wire_down == 40);
  CHECK(first->bytes.frame_down == 30);
  CHECK(first->bytes.session_opens == 1);
  CHECK(first->session.session == 7);
  CHECK(first->session.up == 100);
  CHECK_FALSE(books.take(kStart, true));
  books.count({160, 40});
  const auto second = books.take(kStart, true);
  REQUIRE(second);
  CHECK(second->bytes.wire_up == 60);
  CHECK(second->bytes.wire_down == 0);
  CHECK(second->session.up == 160);
  CHECK(books.totals(std::nullopt).wire_up == 1160);
  CHECK(books.totals(WireCount{170, 45}).wire_up == 1170);
  CHECK(books.totals(WireCount{170, 45}).wire_down == 545);
}

TEST_CASE("Unless forced, bytes are booked every ten seconds") {
  LinkBooks books({}, {});
  books.begin(7, false);
  books.count({1, 0});
  REQUIRE(books.take(kStart, true));
  books.count({2, 0});
  CHECK(books.next() == kStart + LinkBooks::kEvery);
  CHECK_FALSE(books.take(books.next() - Millis{1}, false));
  CHECK(books.take(books.next(), false));
}

TEST_CASE("A new session counts from nothing, and is noted as the last one when it ends") {
  LinkBooks books({}, {.session = 3, .up = 10, .down = 20});
  CHECK(books.last().session == 3);
  books.begin(7, true);
  books.rename(8);
  books.count({100, 40});
  books.end();
  CHECK(books.last().session == 8);
  CHECK(books.last().up == 100);
  books.begin(9, true);
  books.count({5, 5});
  CHECK(books.totals(std::nullopt).wire_up == 105);
  CHECK(books.totals(std::nullopt).session_opens == 2);
}

TEST_CASE("What the peer counted of the last session beyond our own count is recovered") {
  const LinkBooks::SessionNote last{.session = 3, .up = 1000, .down = 500};
  const auto recovered = [&](const Greeting& peer) {
    LinkBooks books({}, last);
    books.begin(4, false);
    books.recover(peer, 300);
    return books.totals(std::nullopt);
  };
  CHECK(recovered(knows(3, 1100, 520)).wire_up == 100);
  CHECK(recovered(knows(3, 1100, 520)).wire_down == 20);
  // What was lost on the way up the peer never saw.
  CHECK(recovered(knows(3, 900, 400)).wire_up == 0);
  CHECK(recovered(knows(3, 900, 400)).wire_down == 0);
  CHECK(recovered(knows(2, 1100, 520)).wire_up == 0);
  CHECK(recovered(knows(0, 1100, 520)).wire_up == 0);
  // One that lies costs a bounded sum.
  CHECK(recovered(knows(3, ~std::uint64_t{0} / 2, 520)).wire_up == 300);
  CHECK(recovered(knows(3, ~std::uint64_t{0}, 520)).wire_up >= 0);
}

TEST_CASE("An attempt that came to nothing is paid for") {
  LinkBooks books({}, {});
  books.add_failed_attempt({120, 60});
  const auto booking = books.take(kStart, true);
  REQUIRE(booking);
  CHECK(booking->bytes.wire_up == 120);
  CHECK(booking->bytes.wire_down == 60);
  CHECK(booking->bytes.session_opens == 0);
}

}  // namespace tulpar::link
