// SPDX-License-Identifier: Apache-2.0
//
// Configurations: each text loads or ends in a bounded number of clear problems; what loads is printed and
// loads again as the same.
//
// Input: the file; after a line `#---`, if there is one, STATE_DIR/settings.toml; after another one a plan of
// the operator's own.
#include "config/dump.hpp"
#include "tests/config/loading.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::config;
using tulpar::fuzz::require;

namespace {

std::string_view take_part(std::string_view& text) {
  constexpr std::string_view kBetween = "\n#---\n";
  const auto end = text.find(kBetween);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + kBetween.size());
  return part;
}

// Keys and passwords are printed masked: the mask itself stands for them here.
void mask(std::string& secret) {
  if (!secret.empty()) secret = kMasked;
}
void mask(Gateway& gateway) {
  mask(gateway.mqtt.password);
  for (auto& user : gateway.mqtt.users) mask(user.password);
  for (auto& channel : gateway.channels) channel.psk.clear();
}
void mask(Relay& relay) {
  for (auto& sink : relay.sinks) {
    mask(sink.password);
    sink.audience = audience_of(sink);
  }
  for (auto& source : relay.sources) mask(source.password);
  for (auto& channel : relay.channels) channel.psk.clear();
}

template <class Config, class Load>
void judge(Loaded<Config> loaded, Load load) {
  require(loaded.problems.size() <= Problems::kMax + 1, "problems have a bound");
  for (const auto& problem : loaded.problems)
    require(!problem.message.empty() && explain(problem).size() < 4000, "a problem is told in a line or two");
  if (!loaded.value) return require(!loaded.problems.empty(), "what does not load says why");
  auto& value = *loaded.value;
  mask(value);
  const auto again = load(dump(value));
  require(again.value.has_value(), "what is printed loads");
  require(*again.value == value, "what is printed loads as the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = as_text({data, size});
  const std::string file(take_part(text)), settings(take_part(text)), plan(text);
  const auto files = [&](std::string_view main, bool with_settings) {
    Files all{{"c.toml", std::string(main)}, {"/state/plans/own.toml", plan}};
    if (with_settings) all.emplace("/state/settings.toml", settings);
    return from(std::move(all));
  };
  judge(load_gateway("c.toml", files(file, true)),
        [&](std::string_view printed) { return load_gateway("c.toml", files(printed, false)); });
  judge(load_relay("c.toml", files(file, true)),
        [&](std::string_view printed) { return load_relay("c.toml", files(printed, false)); });
  (void)load_any("c.toml", files(file, true));
  return 0;
}
