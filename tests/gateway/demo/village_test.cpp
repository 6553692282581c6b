// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/village.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "bridge/utf8.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;

TEST_CASE("numbers follow their seed on every machine") {
  // The generator's published first values for this seed.
  Random random(1234567);
  CHECK(random.next() == 6457827717110365317u);
  CHECK(random.next() == 3203168211198807973u);
  double sum = 0, squares = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    const double u = random.uniform();
    REQUIRE((u >= 0 && u < 1));
  }
  CHECK(std::abs(sum / 10'000) < 0.05);
  CHECK(std::abs(squares / 10'000 - 1) < 0.05);
}

TEST_CASE("texts fit into a packet and are as long as recorded ones") {
  Random random(5);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 2'000; ++i) {
    const std::string_view text = village_text(random);
    REQUIRE(bridge::valid_utf8(text));
    sizes.push_back(text.size());
  }
  std::sort(sizes.begin(), sizes.end());
  CHECK(sizes.front() >= 1);
  CHECK(sizes.back() <= 175);
  CHECK(sizes[sizes.size() / 2] >= 8);
  CHECK(sizes[sizes.size() / 2] <= 18);
}

TEST_CASE("names fit the firmware's 24 bytes") {
  for (std::size_t i = 0; i < village_name_count(); ++i) {
    CHECK(village_name(i).size() <= 24);
    CHECK(bridge::valid_utf8(village_name(i)));
  }
}

TEST_CASE("cries for help and answers fit into a packet, and each comes up once before any comes again") {
  for (const auto& said : {village_emergency, village_reply}) {
    std::set<std::string_view> different;
    for (std::size_t i = 0; i < 12; ++i) {
      const std::string_view text = said(i);
      REQUIRE(bridge::valid_utf8(text));
      // A place stands before a cry for help: "SOS 49.28159, -85.61321: ".
      REQUIRE((text.size() >= 1 && text.size() <= 150));
      different.insert(text);
    }
    CHECK(different.size() == 4);
    CHECK(said(0) == said(different.size()));
  }
}
