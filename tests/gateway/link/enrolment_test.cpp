// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/enrolment.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::link {
namespace {

struct Fixture {
  queue::TempDir dir;
  EnrolmentBook book{dir / ""};
  Enrolment roof() { return book.enrol("roof", "relay.example:7700").value(); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "An enrolment is one line that says all, and is found by its key") {
  const auto made = roof();
  CHECK(made.line().find('\n') == std::string::npos);
  const auto read = parse_enrolment(made.line());
  REQUIRE(read.has_value());
  CHECK(read->name == "roof");
  CHECK(read->address == "relay.example:7700");
  CHECK(read->secret == made.secret);
  const auto found = book.find_key(made.key_id);
  REQUIRE(found);
  CHECK(found->name == "roof");
  CHECK_FALSE(book.find_key("AAAAAAAA"));
  CHECK(book.names().value() == std::vector<std::string>{"roof"});
}

TEST_CASE_METHOD(Fixture, "Two gateways have nothing in common, and a name is given once") {
  const auto one = roof();
  const auto two = book.enrol("ship", "relay.example:7700").value();
  CHECK(one.key_id != two.key_id);
  CHECK(one.secret != two.secret);
  CHECK(book.enrol("roof", "x:1").error().message.find("already") != std::string::npos);
  CHECK(book.revoke("roof").has_value());
  CHECK_FALSE(book.find_key(one.key_id));
  CHECK_FALSE(book.revoke("roof").has_value());
  CHECK(book.enrol("roof", "x:1").has_value());
}

TEST_CASE_METHOD(Fixture, "A name is no path") {
  for (const char* name : {"", "..", "../x", "a/b", "a b", "."})
    CHECK_FALSE(book.enrol(name, "x:1").has_value());
  CHECK_FALSE(book.revoke("../queue.db").has_value());
}

TEST_CASE_METHOD(Fixture, "What lies in the folder and is no enrolment disturbs nobody") {
  const auto made = roof();
  std::ofstream(dir / "enrolments/garbage") << "hello\n";
  std::ofstream(dir / "enrolments/.roof.swp") << made.line();
  CHECK(book.find_key(made.key_id)->name == "roof");
}

TEST_CASE_METHOD(Fixture, "A book that is not there is empty; one that cannot be read is an error, not empty") {
  CHECK(book.names().value().empty());
  std::ofstream(dir / "enrolments") << "a file, not a folder\n";
  CHECK(book.names().has_error());
  CHECK_FALSE(book.find_key("AAAAAAAA"));
}

TEST_CASE_METHOD(Fixture, "A damaged line is refused, with the reason") {
  const std::string line = roof().line();
  for (std::size_t cut = 0; cut < line.size(); cut += 3)
    CHECK_FALSE(parse_enrolment(line.substr(0, cut)).has_value());
  CHECK_FALSE(parse_enrolment("tulpar9" + line.substr(7)).has_value());
  CHECK_FALSE(parse_enrolment(line + " more").has_value());
}

TEST_CASE_METHOD(Fixture, "Only its owner reads it; what root makes belongs to the state directory's owner") {
  struct stat found {};
  if (geteuid() == 0) REQUIRE(chown((dir / "").c_str(), 65'534, 65'534) == 0);
  roof();
  for (const auto& [path, mode] :
       {std::pair(dir / "enrolments", 0700u), std::pair(dir / "enrolments/roof", 0600u)}) {
    REQUIRE(stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777u) == mode);
    CHECK(found.st_uid == (geteuid() == 0 ? 65'534 : geteuid()));
  }
}

}  // namespace tulpar::link
