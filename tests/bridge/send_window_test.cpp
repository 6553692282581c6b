// SPDX-License-Identifier: Apache-2.0
#include "bridge/send_window.hpp"

#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

constexpr BootTime kNow{std::chrono::hours(1)};
using std::chrono::minutes;
using std::chrono::seconds;

queue::Entry entry(queue::MessageId id, queue::ClassId cls = 2) { return {.id = id, .cls = cls}; }

// Begun and sent as packet number `id`.
void send(SendWindow& window, queue::MessageId id) {
  window.begin(entry(id));
  window.sent(id, static_cast<int>(id));
}

TEST_CASE("SendWindow: at most twenty until their end is on disk", "[window]") {
  SendWindow window;
  window.open(65'535);
  CHECK(window.room(kNow, false) == 20);
  for (int id = 1; id <= 20; ++id) send(window, id);
  CHECK(window.room(kNow, false) == 0);
  CHECK(window.room(kNow, true) == 0);
  CHECK(window.answered(7)->id == 7);
  CHECK(window.room(kNow, false) == 0);
  window.finish(7);
  CHECK(window.room(kNow, false) == 1);
}

TEST_CASE("SendWindow: fewer where the broker wants fewer, but one at least", "[window]") {
  SendWindow window;
  window.open(3);
  CHECK(window.room(kNow, false) == 3);
  window.open(0);
  CHECK(window.room(kNow, false) == 1);
}

TEST_CASE("SendWindow: an answer counts once and for its packet only", "[window]") {
  SendWindow window;
  send(window, 1);
  CHECK_FALSE(window.answered(2));
  CHECK(window.answered(1));
  CHECK_FALSE(window.answered(1));
  window.begin(entry(5));
  CHECK_FALSE(window.answered(0));
}

TEST_CASE("SendWindow: after a loss what was sent is tried again alone, at once, most urgent first",
          "[window]") {
  SendWindow window;
  window.begin(entry(1, 3));
  window.sent(1, 1);
  window.begin(entry(2, 0));
  window.sent(2, 2);
  window.begin(entry(3, 1));  // its body was still being read
  const auto unsent = window.close(kNow);
  REQUIRE(unsent.size() == 1);
  CHECK(unsent[0].id == 3);
  CHECK(window.aside() == 2);

  window.open(20);
  CHECK(window.room(kNow, false) == 0);  // a suspect is due and goes first
  CHECK(window.take_due(kNow)->id == 2);
  CHECK(window.waits(2));
  window.sent(2, 1);
  CHECK_FALSE(window.take_due(kNow));  // alone
  CHECK(window.room(kNow, false) == 0);
  CHECK(window.room(kNow, true) == 19);  // an SOS waits for no suspect
  window.answered(1);
  window.finish(2);
  CHECK(window.take_due(kNow)->id == 1);
  window.sent(1, 2);
  window.answered(2);
  window.finish(1);
  CHECK(window.room(kNow, false) == 20);
}

TEST_CASE("SendWindow: whoever was alone when it broke waits longer each time and holds up nobody",
          "[window]") {
  SendWindow window;
  BootTime now = kNow;
  send(window, 1);
  window.close(now);
  std::vector<Millis> waits;
  for (int i = 0; i < 14; ++i) {
    REQUIRE(window.next_wake());
    waits.push_back(*window.next_wake() - now);
    if (waits.back() > Millis{0}) {
      CHECK(window.room(now, false) == 20);
      CHECK_FALSE(window.take_due(now));
    }
    now = *window.next_wake();
    REQUIRE(window.take_due(now)->id == 1);
    window.sent(1, 1);
    window.close(now);
  }
  CHECK(waits[0] == Millis{0});
  CHECK(waits[1] == seconds(1));
  CHECK(waits[2] == seconds(2));
  CHECK(waits[10] == seconds(512));
  CHECK(waits[11] == minutes(10));
  CHECK(waits[13] == minutes(10));
}

TEST_CASE("SendWindow: what the broker answered before the loss is not sent again", "[window]") {
  SendWindow window;
  send(window, 1);
  window.answered(1);
  CHECK(window.close(kNow).empty());
  CHECK(window.aside() == 0);
  CHECK(window.under_way() == 1);  // its end is being written
  window.finish(1);
  CHECK(window.under_way() == 0);
}

TEST_CASE("SendWindow: what was decided without the broker is not given back", "[window]") {
  SendWindow window;
  window.begin(entry(1));
  window.settle(1);
  CHECK_FALSE(window.waits(1));
  CHECK(window.close(kNow).empty());
  CHECK(window.under_way() == 1);
}

TEST_CASE("SendWindow: a broker that cannot just now is asked again later", "[window]") {
  SendWindow window;
  send(window, 1);
  window.answered(1);
  window.again(1, kNow);
  CHECK(window.under_way() == 0);
  CHECK(*window.next_wake() == kNow + seconds(1));
  CHECK_FALSE(window.take_due(kNow));
  CHECK(window.take_due(kNow + seconds(1))->id == 1);
}

TEST_CASE("SendWindow: with a hundred set aside only emergencies are begun", "[window]") {
  SendWindow window;
  for (int id = 1; id <= 100; ++id) {
    CHECK(window.room(kNow, false) == 20);
    send(window, id);
    window.again(id, kNow);
  }
  CHECK(window.room(kNow, false) == 0);
  CHECK(window.room(kNow, true) == 20);
}

}  // namespace
}  // namespace tulpar::bridge
