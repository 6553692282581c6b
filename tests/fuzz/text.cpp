// SPDX-License-Identifier: Apache-2.0
//
// The small grammars of a configuration: what is read and written is read the same, and a text survives as
// TOML.
#include "config/text.hpp"

#include "bridge/utf8.hpp"
#include "config/address.hpp"
#include "config/document.hpp"
#include "config/units.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::config;
using tulpar::fuzz::require;

namespace {

template <class Parse, class Format>
void there_and_back(std::string_view text, Parse parse, Format format, const char* what) {
  const auto value = parse(text);
  if (!value) return;
  const auto again = parse(format(*value));
  require(again.has_value() && *again == *value, what);
}

void survives_as_toml(std::string_view text) {
  Problems problems;
  const auto document =
      parse_document("x = " + quote(text), std::make_shared<Origin>(Origin{"x", "/"}), problems);
  if (!bridge::valid_utf8(text)) return;
  require(document.has_value(), "a quoted text is TOML");
  const auto* value = document->find("x");
  require(value && value->kind == Node::Kind::kString && value->text == text,
          "a quoted text is read as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_text({data, size});
  there_and_back(text, parse_duration, format_duration, "a duration");
  there_and_back(text, parse_size, format_size, "a size");
  there_and_back(text, parse_rate, format_rate, "a rate");
  there_and_back(text, parse_money, format_money, "an amount");
  there_and_back(text, parse_time_of_day, format_time_of_day, "a time of day");
  there_and_back(text, parse_host_port, format_host_port, "an address");
  (void)parse_days(text);
  (void)is_private(text);
  if (const auto bytes = parse_base64(text)) require(format_base64(*bytes) == text, "base64 has one spelling");
  const auto coded = parse_base64(format_base64({data, size}));
  require(coded.has_value() && std::ranges::equal(*coded, ByteView(data, size)), "bytes survive as base64");
  survives_as_toml(text);
  require(!has_control(quote(text)) && !has_control(printable(text)), "what is shown obeys no terminal");
  require(quote_short(text).size() < 1000 && printable(text).size() < 2000, "what is shown is short");
  return 0;
}
