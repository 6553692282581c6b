// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/wire.hpp"

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 1;

}  // namespace

TEST_CASE("Varints have one to ten bytes and never more than 64 bits") {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, kMost, ~std::uint64_t{0}}) {
    Writer out;
    out.varint(value);
    CHECK(out.size() == varint_size(value));
    Reader in(out.view());
    CHECK(in.varint() == value);
    CHECK((in.ok() && in.empty()));
    Reader cut(out.view().first(out.size() - 1));
    CHECK(cut.varint() == 0);
    CHECK_FALSE(cut.ok());
  }
  const Bytes eleven(10, 0x80), too_large = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
  for (const auto& bytes : {eleven, too_large}) {
    Reader in(bytes);
    in.varint();
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("A reader that failed gives nothing any more") {
  const Bytes bytes = {1, 2, 3};
  Reader in(bytes);
  CHECK(in.bytes(4).empty());
  CHECK_FALSE(in.ok());
  CHECK(in.u8() == 0);
  CHECK(in.rest().empty());
}

TEST_CASE("Fixed numbers are big-endian") {
  Writer out;
  out.u64(0x0102030405060708);
  CHECK(out.view()[0] == 1);
  Reader in(out.view());
  CHECK(in.u64() == 0x0102030405060708);
}

}  // namespace tulpar::link
