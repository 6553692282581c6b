// SPDX-License-Identifier: Apache-2.0
//
// The worked example of FORMAT.md, byte by byte: the page itself is the vector.
#include <fstream>
#include <map>
#include <sstream>

#include "gateway/link/batch.hpp"
#include "gateway/link/frame.hpp"
#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

// The bytes at the begin of a line, up to two spaces and a comment.
Bytes bytes_of(const std::string& line) {
  Bytes bytes;
  std::istringstream words(line.substr(0, line.find("  ")));
  for (std::string word; words >> word;)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(word, nullptr, 16)));
  return bytes;
}

std::map<std::string, Bytes> example() {
  std::ifstream page(TULPAR_SOURCE_DIR "/gateway/link/FORMAT.md");
  std::map<std::string, Bytes> blocks;
  std::string name;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      name = line.substr(3);
    } else if (!name.empty()) {
      const Bytes bytes = bytes_of(line);
      blocks[name].insert(blocks[name].end(), bytes.begin(), bytes.end());
    }
  }
  return blocks;
}

Bytes text(std::string_view words) { return {words.begin(), words.end()}; }

const std::vector<LinkMessage> kFirst = {{.number = 1,
                                          .cls = "message",
                                          .topic = "mesh/7e/text",
                                          .payload = text("All well at the upper village, all roads open."),
                                          .age_s = 2},
                                         {.number = 2,
                                          .cls = "message",
                                          .topic = "mesh/7e/text",
                                          .payload = text("All well at the lower village, all roads open."),
                                          .age_s = 1}};
const std::vector<LinkMessage> kSecond = {
    {.number = 3,
     .cls = "message",
     .topic = "mesh/7e/text",
     .payload = text("All well at the upper village, road to the lower village closed.")}};

// The batch in a frame that holds one whole batch.
ByteView batch_in(const Bytes& frame, std::uint64_t number) {
  const auto items = decode_frame(frame);
  REQUIRE(items.has_value());
  REQUIRE(items->size() == 1);
  const auto& fragment = std::get<Fragment>(items->at(0));
  REQUIRE((fragment.batch == number && fragment.offset == 0 && fragment.end));
  return fragment.bytes;
}

}  // namespace

TEST_CASE("The example's greeting and acknowledgement are what this program writes and reads") {
  auto page = example();
  const Greeting greeting{.incarnation = 0x0123456789abcdef,
                          .session = 0x5a17,
                          .closed = {},
                          .partial = {},
                          .lives = {{0x6e1f90c2}}};
  FrameBuilder first(kMaxFrame), second(kMaxFrame);
  REQUIRE(first.put(greeting));
  CHECK(first.take() == page.at("greeting"));
  CHECK(std::get<Greeting>(decode_frame(page.at("greeting"))->at(0)) == greeting);
  REQUIRE(second.put(Ack{1, {}}));
  CHECK(second.take() == page.at("acknowledgement"));
}

TEST_CASE("The example's plain texts and digests are what this program makes") {
  auto page = example();
  CHECK(encode_plain(kFirst, 1) == page.at("plain 1"));
  CHECK(encode_plain(kSecond, 3) == page.at("plain 2"));
  History history(kBaseWindow);
  history.add(1, page.at("plain 1"));
  const auto digest = history.base({1, 1, {}}).digest;
  CHECK(Bytes(digest.begin(), digest.end()) == page.at("base digest"));
  CHECK(empty_base().digest == sha256(Bytes(4, 0)));
}

TEST_CASE("The example's batches are read as the page says and their frames are written so") {
  auto page = example();
  BatchCodec codec;
  History history(kBaseWindow);
  const std::tuple<std::string, std::uint64_t, std::vector<LinkMessage>> batches[] = {{"1", 1, kFirst},
                                                                                      {"2", 2, kSecond}};
  for (const auto& [name, number, messages] : batches) {
    const Bytes& frame = page.at("frame " + name);
    const ByteView batch = batch_in(frame, number);
    FrameBuilder builder(kMaxFrame);
    REQUIRE(builder.put_fragment(number, 0, batch) == batch.size());
    CHECK(builder.take() == frame);
    const auto head = decode_head(batch);
    REQUIRE(head.has_value());
    CHECK((head->first.enters_history && head->first.compressed && !head->first.urgent));
    CHECK(head->first.has_base == (number == 2));
    const Base base = number == 2 ? history.base(base_name(head->first, number).value()) : empty_base();
    const auto decoded = codec.decode(head->first, batch.subspan(head->second), base);
    REQUIRE_FALSE(decoded.problem.has_value());
    CHECK(decoded.plain == page.at("plain " + name));
    CHECK(decode_plain(decoded.plain, head->first.settled).value() == messages);
    history.add(number, decoded.plain);
  }
}

}  // namespace tulpar::link
