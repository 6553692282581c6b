// SPDX-License-Identifier: Apache-2.0
//
// Deliberately wrong stores: a proof that does not find them would prove nothing.
#include "tests/catch.hpp"
#include "tests/queue/power_cut_proof.hpp"

namespace tulpar::queue {
namespace {

constexpr int kPoints = 60;

std::function<void(Store&)> sql(const std::string& text) {
  return [text](Store& store) { store.database().execute(text); };
}

// What the proof says of a gateway's and of a relay's store with this mistake.
std::string found(const Mistake& mistake) {
  std::string words;
  for (const auto role : {Role::kGateway, Role::kRelay}) {
    Tally tally;
    const std::uint64_t seed = 4;  // a disk as the product knows it
    words += cut(record_life(role, seed, mistake), seed, kPoints, tally, mistake) + "\n";
  }
  return words;
}

}  // namespace

TEST_CASE("The proof has nothing to say of the store as it is") { CHECK(found({}) == "\n\n"); }

TEST_CASE("The proof finds a store that does not sync") {
  const std::string lazy = GENERATE("OFF", "NORMAL");
  const auto words = found({.always = sql("PRAGMA synchronous = " + lazy)});
  CHECK_THAT(words, Contains("the content is not that of commit") || Contains("damaged"));
}

TEST_CASE("The proof finds a store that acknowledges before it has committed") {
  CHECK_THAT(found({.acknowledges_early = true}), Contains("the content is not that of commit"));
}

TEST_CASE("The proof finds a store that goes on from the highest message number that it finds") {
  const auto words =
      found({.after_cut = sql("UPDATE peer SET number_end = (SELECT 1 + coalesce(max(number), 0) "
                              "FROM message WHERE peer = peer.id)")});
  CHECK_THAT(words, Contains("message numbers are given again"));
}

TEST_CASE("The proof finds a store that goes on from the highest batch number that it finds") {
  const auto words = found({.after_cut = sql("UPDATE peer SET batch_end = max(batch_floor, (SELECT 1 + "
                                             "coalesce(max(batch), 0) FROM message WHERE peer = peer.id))")});
  CHECK_THAT(words, Contains("batch numbers are given again"));
}

TEST_CASE("The proof finds a receiver that forgets what it has answered for") {
  CHECK_THAT(found({.after_cut = sql("UPDATE peer SET cumulative = cumulative - 2")}),
             Contains("batch") && Contains("was answered for and is forgotten"));
  CHECK_THAT(found({.after_cut = sql("UPDATE peer SET low = 1")}),
             Contains("message") && Contains("was answered for and is forgotten"));
}

}  // namespace tulpar::queue
