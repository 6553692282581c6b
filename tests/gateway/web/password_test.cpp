// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/password.hpp"

#include <fmt/format.h>

#include "config/text.hpp"
#include "gateway/web/secrets.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;

TEST_CASE("a password matches its own line only, and each line is another") {
  const auto line = hash_password("winged horse");
  CHECK_THAT(line, StartsWith("scrypt:8192:8:10:"));
  CHECK(matches("winged horse", line));
  CHECK(matches("winged horse", line + "\n"));
  CHECK_FALSE(matches("winged hors", line));
  CHECK_FALSE(matches("", line));
  CHECK(hash_password("winged horse") != line);
}

TEST_CASE("the hash is RFC 7914's scrypt") {
  // Its fourth vector in section 12, cut to our 32 bytes (PBKDF2 gives a prefix): N=16384, r=8, p=1.
  const Bytes hash = {0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48, 0x46, 0x1c, 0x06,
                      0xcd, 0x81, 0xfd, 0x38, 0xeb, 0xfd, 0xa8, 0xfb, 0xba, 0x90, 0x4f,
                      0x8e, 0x3e, 0xa9, 0xb5, 0x43, 0xf6, 0x54, 0x5d, 0xa1, 0xf2};
  const auto salt = config::format_base64(as_bytes("SodiumChloride"));
  CHECK(matches("pleaseletmein", fmt::format("scrypt:16384:8:1:{}:{}", salt, config::format_base64(hash))));
}

TEST_CASE("a damaged or greedy line matches nothing, and costs nothing") {
  const auto good = hash_password("x");
  const auto salt_and_hash = good.substr(std::string("scrypt:8192:8:10:").size());
  CHECK(matches("x", "scrypt:8192:8:10:" + salt_and_hash));
  for (const std::string begin :
       {"scrypt:8193:8:10:", "scrypt:0:8:10:", "scrypt:1:8:10:", "scrypt:8192:0:10:", "scrypt:8192:8:0:",
        "scrypt:1048576:8:1:", "scrypt:18446744073709551615:8:1:", "scrypt:8192:8:1000000:",
        "scrypt:-8192:8:10:", "scrypt:8192:8:", "argon:8192:8:10:", "SCRYPT:8192:8:10:", ""}) {
    INFO(begin);
    CHECK_FALSE(matches("x", begin + salt_and_hash));
  }
  CHECK_FALSE(matches("x", ""));
  CHECK_FALSE(matches("x", good + ":more"));
  CHECK_FALSE(matches("x", good.substr(0, good.size() - 4)));
  CHECK_FALSE(matches("x", "scrypt:8192:8:10::" + salt_and_hash.substr(salt_and_hash.find(':') + 1)));
}

TEST_CASE("the operator's password is set, checked and changed") {
  const TempDir dir;
  const auto none = check_password(dir.text(), "winged horse");
  REQUIRE_FALSE(none.has_value());
  CHECK_THAT(none.error().message, Contains("tulpar passwd"));
  CHECK(set_password(dir.text(), "winged horse").has_value());
  CHECK(check_password(dir.text(), "winged horse").value());
  CHECK_FALSE(check_password(dir.text(), "winged house").value());
  CHECK(set_password(dir.text(), "another one").has_value());
  CHECK_FALSE(check_password(dir.text(), "winged horse").value());
  const auto text = *read_private(web_dir(dir.text()) / "password").value();
  CHECK(text.find("another") == std::string::npos);
}

TEST_CASE("a password has a length") {
  const TempDir dir;
  CHECK_FALSE(set_password(dir.text(), "7 bytes").has_value());
  CHECK(set_password(dir.text(), "8 bytes!").has_value());
  CHECK(set_password(dir.text(), std::string(1024, 'x')).has_value());
  CHECK_FALSE(set_password(dir.text(), std::string(1025, 'x')).has_value());
  CHECK(check_password(dir.text(), std::string(1024, 'x')).value());
}
