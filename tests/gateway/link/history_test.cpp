// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/history.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

Bytes part(std::uint64_t batch, std::size_t size = 1000) {
  return Bytes(size, static_cast<std::uint8_t>(batch));
}

}  // namespace

TEST_CASE("An empty history has no name and its base is the empty one") {
  const History history(kBaseWindow);
  CHECK_FALSE(history.name({}).has_value());
  CHECK(history.base({1, 9, {}}).digest == empty_base().digest);
}

TEST_CASE("A name spans the window and leaves out what is open between") {
  History history(kBaseWindow);
  for (const std::uint64_t batch : {3, 4, 7, 9}) history.add(batch, part(batch));
  CHECK(*history.name({1, 5, 6, 8, 10}) == BaseName{3, 9, {5, 6, 8}});
  CHECK(history.base({3, 9, {}}).text.size() == 4000);
  CHECK(history.base({4, 7, {}}).text.size() == 2000);
  CHECK(history.base({3, 9, {4, 9}}).text.size() == 2000);
}

TEST_CASE("A base is the last 128 KiB in number order whatever the order of arrival") {
  History ascending(kReceiverKeeps), shuffled(kReceiverKeeps);
  std::vector<std::uint64_t> order(40);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i + 1;
  for (const auto batch : order) ascending.add(batch, part(batch, 7001));
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  for (const auto batch : order) shuffled.add(batch, part(batch, 7001));
  const auto name = *ascending.name({});
  const Base one = ascending.base(name), two = shuffled.base(name);
  CHECK(one.text.size() == kBaseWindow);
  CHECK(one.text.back() == 40);
  CHECK(one.text == two.text);
  CHECK(one.digest == two.digest);
}

TEST_CASE("A digest changes with each number, text and the length that counts") {
  History history(kBaseWindow);
  history.add(1, part(1));
  history.add(2, part(2));
  History other(kBaseWindow);
  other.add(1, part(1));
  other.add(3, part(2));
  std::set<Digest> digests;
  for (const BaseName& name : {BaseName{1, 2, {}}, BaseName{1, 1, {}}, BaseName{2, 2, {}}})
    digests.insert(history.base(name).digest);
  digests.insert(other.base({1, 3, {}}).digest);
  digests.insert(empty_base().digest);
  CHECK(digests.size() == 5);
}

TEST_CASE("Only what the window no longer needs is forgotten") {
  History history(5000);
  for (std::uint64_t batch = 1; batch <= 10; ++batch) history.add(batch, part(batch));
  CHECK_FALSE(history.contains(5));
  CHECK(history.contains(6));
  history.add(6, part(1));
  CHECK(history.base({6, 6, {}}).text == part(6));
  history.add(2, part(2));
  CHECK_FALSE(history.contains(2));
  history.remove(7, 2);
  history.add(2, part(2));
  CHECK(history.contains(2));
  history.clear();
  CHECK_FALSE(history.name({}).has_value());
}

TEST_CASE("The receiver reads what was made on a base that the sender has trimmed since") {
  // The sender's rule: at most 128 KiB enter while a batch with a base is open.
  History sender(kBaseWindow), receiver(kReceiverKeeps);
  for (std::uint64_t batch = 1; batch <= 100; ++batch) {
    sender.add(batch, part(batch, 3777));
    receiver.add(batch, part(batch, 3777));
  }
  const auto name = *sender.name({});
  const auto digest = sender.base(name).digest;
  for (std::uint64_t batch = 101; batch <= 100 + kBaseWindow / 3777; ++batch)
    receiver.add(batch, part(batch, 3777));
  CHECK(receiver.base(name).digest == digest);
}

}  // namespace tulpar::link
