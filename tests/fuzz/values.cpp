// SPDX-License-Identifier: Apache-2.0
//
// What the API reads and writes: JSON of any bytes is JSON with the same text, instants and addresses are read
// as they are written.
#include <bit>
#include <boost/json/parse.hpp>

#include "bridge/utf8.hpp"
#include "config/units.hpp"
#include "gateway/web/http.hpp"
#include "gateway/web/json_writer.hpp"
#include "gateway/web/rfc3339.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::web;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

void write_json(std::string_view text, double real, std::int64_t number) {
  JsonWriter json;
  json.object().field("text", text).field("real", real).field("number", number);
  json.key("list").array().value(text).object().text_or_null(text, text).end().end();
  json.key("money").money(number).end();
  const auto written = json.take();
  require(bridge::valid_utf8(written), "JSON is UTF-8, or a browser ends the connection");
  boost::system::error_code error;
  const auto read = boost::json::parse(written, error);
  require(!error && read.is_object(), "what is written is JSON");
  if (bridge::valid_utf8(text))
    require(read.at("text").as_string() == text, "a text is read as it was written");
  require(read.at("number").to_number<std::int64_t>() == number, "a number is read as it was written");
}

void read_time(std::string_view text) {
  const auto at = parse_time(text);
  if (!at) return;
  const auto again = parse_time(format_time(*at));
  require(again.has_value() && *again == *at, "an instant is read as it is written");
  require(!http_date(*at).empty(), "an instant has a date");
}

void read_address(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return;
  std::size_t total = 0;
  for (const auto& segment : target->path) {
    require(segment.find('\0') == std::string::npos || text.find('\0') != text.npos,
            "no NUL hides in an escape");
    total += segment.size();
  }
  for (const auto& [name, value] : target->query) total += name.size() + value.size();
  require(total <= text.size(), "nothing grows by unescaping");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const auto number = in.u64();
  const auto text = in.rest_text();
  write_json(text, std::bit_cast<double>(number), static_cast<std::int64_t>(number));
  read_time(text);
  read_time(as_text({data, size}));
  // Years 1970 to 9999, and what lies outside is clamped.
  require(parse_time(format_time(WallTime(Millis(static_cast<std::int64_t>(number))))).has_value(),
          "an instant that was written is read");
  read_address(text);
  read_address(as_text({data, size}));
  return 0;
}
