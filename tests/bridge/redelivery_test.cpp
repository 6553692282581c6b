// SPDX-License-Identifier: Apache-2.0
#include "bridge/redelivery.hpp"

#include "bridge/fingerprint.hpp"
#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

using Mark = Redelivery::Mark;

// Stored as messages 1..last, each with a text of its own.
void store(Redelivery& redelivery, int first, int last) {
  for (int i = first; i <= last; ++i)
    redelivery.stored({static_cast<std::uint16_t>(i), static_cast<std::uint64_t>(i) * 1000});
}
Mark mark(int mid) { return {static_cast<std::uint16_t>(mid), static_cast<std::uint64_t>(mid) * 1000}; }

TEST_CASE("Redelivery: only after a reconnect", "[redelivery]") {
  Redelivery redelivery(10);
  redelivery.connected(false);
  store(redelivery, 1, 3);
  CHECK_FALSE(redelivery.is_copy(mark(2)));
  redelivery.connected(true);
  CHECK(redelivery.is_copy(mark(2)));
}

TEST_CASE("Redelivery: identifier and fingerprint must both be the same", "[redelivery]") {
  Redelivery redelivery(10);
  store(redelivery, 1, 3);
  redelivery.connected(true);
  CHECK_FALSE(redelivery.is_copy({2, 1000}));
  // The identifier was used anew, so the old message was acknowledged.
  CHECK_FALSE(redelivery.is_copy(mark(2)));
  CHECK_FALSE(redelivery.is_copy({4, 3000}));
  CHECK(redelivery.is_copy(mark(3)));
}

TEST_CASE("Redelivery: a copy comes once a connection, and again after the next loss", "[redelivery]") {
  Redelivery redelivery(10);
  store(redelivery, 1, 1);
  redelivery.connected(true);
  CHECK(redelivery.is_copy(mark(1)));
  CHECK_FALSE(redelivery.is_copy(mark(1)));
  redelivery.connected(true);
  CHECK(redelivery.is_copy(mark(1)));
}

TEST_CASE("Redelivery: a session that begins anew redelivers nothing", "[redelivery]") {
  Redelivery redelivery(10);
  store(redelivery, 1, 3);
  redelivery.connected(false);
  CHECK_FALSE(redelivery.is_copy(mark(1)));
  // And later, too: the identifiers mean something else now.
  redelivery.connected(true);
  CHECK_FALSE(redelivery.is_copy(mark(1)));
}

TEST_CASE("Redelivery: a second identical SOS is news once the redelivered ones must have come",
          "[redelivery]") {
  Redelivery redelivery(3);
  store(redelivery, 1, 3);
  redelivery.connected(true);
  for (int i = 11; i <= 13; ++i) CHECK_FALSE(redelivery.is_copy(mark(i)));
  CHECK_FALSE(redelivery.is_copy(mark(2)));
}

TEST_CASE("Redelivery: no more is remembered than a broker can owe", "[redelivery]") {
  Redelivery redelivery(3);
  store(redelivery, 1, 5);
  redelivery.connected(true);
  CHECK_FALSE(redelivery.is_copy(mark(2)));
  CHECK(redelivery.is_copy(mark(3)));
  CHECK(redelivery.is_copy(mark(5)));
}

// 1..3 stored, acknowledgements lost; of the copies 1 is acknowledged; 4 follows; the connection breaks again.
TEST_CASE("Redelivery: what is still owed after two losses is recognised", "[redelivery]") {
  Redelivery redelivery(3);
  store(redelivery, 1, 3);
  redelivery.connected(true);
  CHECK(redelivery.is_copy(mark(1)));
  CHECK(redelivery.is_copy(mark(2)));
  CHECK(redelivery.is_copy(mark(3)));
  CHECK_FALSE(redelivery.is_copy(mark(4)));
  redelivery.stored(mark(4));
  redelivery.connected(true);
  for (int i = 2; i <= 4; ++i) CHECK(redelivery.is_copy(mark(i)));
}

TEST_CASE("Redelivery: QoS 0 has no identifier and is never a copy", "[redelivery]") {
  Redelivery redelivery(3);
  redelivery.stored({0, 7});
  redelivery.connected(true);
  CHECK_FALSE(redelivery.is_copy({0, 7}));
}

TEST_CASE("Redelivery: marks that were stored with the messages work after a restart", "[redelivery]") {
  Redelivery redelivery(3, {mark(1), mark(2), mark(3), mark(4)});
  CHECK_FALSE(redelivery.is_copy(mark(4)));
  redelivery.connected(true);
  CHECK_FALSE(redelivery.is_copy(mark(1)));
  CHECK(redelivery.is_copy(mark(4)));
}

TEST_CASE("Fingerprint: the border between topic and payload counts", "[fingerprint]") {
  const Bytes ab{'a', 'b'}, b{'b'}, none;
  CHECK(fingerprint("t", ab) == fingerprint("t", ab));
  CHECK(fingerprint("ta", b) != fingerprint("t", ab));
  CHECK(fingerprint("tab", none) != fingerprint("t", ab));
  // Stored values must mean the same in the next version.
  CHECK(fingerprint(ByteView{none}) == 0xe3b0c44298fc1c14);
  CHECK(fingerprint(as_bytes("abc")) == 0xba7816bf8f01cfea);
}

}  // namespace
}  // namespace tulpar::bridge
