// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/secrets.hpp"

#include <sys/stat.h>

#include <fstream>
#include <set>

#include "tests/catch.hpp"
#include "tests/gateway/web/fakes.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777u;
}

}  // namespace

TEST_CASE("random values differ and have their length") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(random_hex(16));
  CHECK(seen.size() == 100);
  CHECK(seen.begin()->size() == 32);
  CHECK(seen.begin()->find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("secrets compare by content and length") {
  CHECK(same_secret("abc", "abc"));
  CHECK_FALSE(same_secret("abc", "abd"));
  CHECK_FALSE(same_secret("abc", "ab"));
  CHECK_FALSE(same_secret("", "a"));
  CHECK(same_secret("", ""));
}

TEST_CASE("private files: nobody else reads them, whatever the umask") {
  const TempDir dir;
  const auto file = web_dir(dir.text()) / "x";
  const auto old = umask(0);
  CHECK(write_private(file, "one").has_value());
  umask(old);
  CHECK(mode_of(file) == 0600);
  CHECK(mode_of(web_dir(dir.text())) == 0700);
  CHECK(write_private(file, "two").has_value());
  CHECK(read_private(file).value() == "two");
  CHECK(std::distance(std::filesystem::directory_iterator(web_dir(dir.text())), {}) == 1);
}

TEST_CASE("a file that an earlier crash left half-written does no harm") {
  const TempDir dir;
  const auto file = web_dir(dir.text()) / "x";
  CHECK(write_private(file, "one").has_value());
  std::ofstream(file.string() + ".new") << "half";
  std::filesystem::permissions(file.string() + ".new", std::filesystem::perms::all);
  CHECK(write_private(file, "two").has_value());
  CHECK(read_private(file).value() == "two");
  CHECK(mode_of(file) == 0600);
}

TEST_CASE("what cannot be read or written is named") {
  const TempDir dir;
  CHECK_FALSE(read_private(dir / "none").value().has_value());
  const auto missing = write_private(dir / "no" / "such" / "folder", "x");
  REQUIRE_FALSE(missing.has_value());
  CHECK_THAT(missing.error().message, Contains("no/such") && Contains("No such file"));
  const auto folder = read_private(dir.text());
  REQUIRE_FALSE(folder.has_value());
  CHECK_THAT(folder.error().message, Contains(dir.text()));
  std::ofstream(dir / "large") << std::string(64 * 1024 + 1, 'x');
  CHECK_FALSE(read_private(dir / "large").has_value());
  std::ofstream(dir / "fits") << std::string(64 * 1024, 'x');
  CHECK(read_private(dir / "fits").value()->size() == 64 * 1024);
}

TEST_CASE("the token for scripts is made once, and made anew when it is no good") {
  const TempDir dir;
  const auto token = load_or_make_token(dir.text());
  REQUIRE(token.has_value());
  CHECK(token->size() == 64);
  CHECK(load_or_make_token(dir.text()).value() == *token);
  CHECK(mode_of(web_dir(dir.text()) / "token") == 0600);
  CHECK(write_private(web_dir(dir.text()) / "token", "short\n").has_value());
  CHECK(load_or_make_token(dir.text()).value().size() == 64);
  const std::string own(70, 'z');
  CHECK(write_private(web_dir(dir.text()) / "token", own + "\r\n").has_value());
  CHECK(load_or_make_token(dir.text()).value() == own);
}
