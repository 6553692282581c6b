// SPDX-License-Identifier: Apache-2.0
//
// The line that admits a gateway: what is taken is written and taken the same, and holds nothing that a file's
// name or a log must not hold.
#include "gateway/link/enrolment.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::link;
using tulpar::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto enrolment = parse_enrolment(as_text({data, size}));
  if (!enrolment) {
    require(!enrolment.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  require(enrolment->name.find_first_of("/\\") == std::string::npos && enrolment->name.front() != '.',
          "a name is no path");
  const auto again = parse_enrolment(enrolment->line());
  require(again.has_value() && again->line() == enrolment->line(), "a line is taken as it is written");
  require(again->name == enrolment->name && again->address == enrolment->address &&
              again->key_id == enrolment->key_id && again->secret == enrolment->secret,
          "all of it is taken");
  return 0;
}
