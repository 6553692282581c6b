// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/connection_table.hpp"

#include <vector>

#include "tests/catch.hpp"

using tulpar::web::ConnectionTable;

namespace {

struct Bench {
  explicit Bench(std::size_t most, std::size_t per_address) : table(most, per_address) {}
  // The index of the new connection; -1: refused.
  int enter(const std::string& address, bool known = false) {
    const int index = static_cast<int>(places.size());
    auto place = table.enter(address, [this, index] { closed.push_back(index); });
    if (!place) return -1;
    if (known) place->known();
    places.push_back(std::move(place));
    return index;
  }
  ConnectionTable table;
  std::vector<int> closed;
  std::vector<std::unique_ptr<ConnectionTable::Place>> places;
};

}  // namespace

TEST_CASE("up to the limit all stay; then the oldest unknown one makes room") {
  Bench bench(3, 3);
  CHECK(bench.enter("a") == 0);
  CHECK(bench.enter("b", true) == 1);
  CHECK(bench.enter("c") == 2);
  CHECK(bench.closed.empty());
  CHECK(bench.enter("d") == 3);
  CHECK(bench.closed == std::vector{0});
  CHECK(bench.table.size() == 3);
  CHECK(bench.enter("e", true) == 4);
  CHECK(bench.enter("f", true) == 5);
  CHECK(bench.closed == std::vector{0, 2, 3});
  CHECK(bench.enter("g") == -1);
  CHECK(bench.closed.size() == 3);
}

TEST_CASE("one address takes its own connections' places, not others'") {
  Bench bench(10, 2);
  bench.enter("quiet");
  bench.enter("noisy");
  bench.enter("noisy");
  CHECK(bench.enter("noisy") == 3);
  CHECK(bench.closed == std::vector{1});
  bench.places[2]->known();
  bench.places[3]->known();
  CHECK(bench.enter("noisy") == -1);
  CHECK(bench.enter("other") == 4);
}

TEST_CASE("one that is asked to go counts no more, and is not asked again") {
  Bench bench(1, 1);
  bench.enter("a");
  CHECK(bench.enter("b") == 1);
  CHECK(bench.enter("c") == 2);
  CHECK(bench.closed == std::vector{0, 1});
  bench.table.close_all();
  CHECK(bench.closed == std::vector{0, 1, 2});
  bench.table.close_all();
  CHECK(bench.closed.size() == 3);
  CHECK(bench.table.size() == 0);
}

TEST_CASE("a place is free again when its connection ends") {
  Bench bench(1, 1);
  bench.enter("a", true);
  CHECK(bench.enter("b") == -1);
  bench.places.clear();
  CHECK(bench.enter("b") == 0);
}

TEST_CASE("the addresses of an IPv6 network are one caller") {
  Bench bench(10, 1);
  bench.enter("2001:db8::1", true);
  CHECK(bench.enter("2001:db8::2") == -1);
  CHECK(bench.enter("2001:db8:0:1::1") == 1);
}
