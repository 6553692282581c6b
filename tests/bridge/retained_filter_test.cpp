// SPDX-License-Identifier: Apache-2.0
#include "bridge/retained_filter.hpp"

#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

TEST_CASE("RetainedFilter: news until it was heard on that topic", "[retained]") {
  RetainedFilter filter;
  CHECK(filter.is_news(1, 100));
  // Asking is not hearing: what could not be stored comes again and is news still.
  CHECK(filter.is_news(1, 100));
  filter.heard(1, 100);
  CHECK_FALSE(filter.is_news(1, 100));
  CHECK(filter.is_news(2, 100));
  CHECK(filter.is_news(1, 101));
}

TEST_CASE("RetainedFilter: only the latest on a topic can be retained there", "[retained]") {
  RetainedFilter filter;
  filter.heard(1, 100);
  filter.heard(1, 101);
  CHECK_FALSE(filter.is_news(1, 101));
  CHECK(filter.is_news(1, 100));
}

TEST_CASE("RetainedFilter: memory is bounded, the longest silent topic goes", "[retained]") {
  RetainedFilter filter(2);
  filter.heard(1, 100);
  filter.heard(2, 200);
  filter.heard(1, 100);
  filter.heard(3, 300);
  CHECK_FALSE(filter.is_news(1, 100));
  CHECK(filter.is_news(2, 200));
  CHECK_FALSE(filter.is_news(3, 300));
}

}  // namespace
}  // namespace tulpar::bridge
