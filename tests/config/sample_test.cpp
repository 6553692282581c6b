// SPDX-License-Identifier: Apache-2.0
//
// The sample files against the loader and the defaults. How their lines are marked stands at the head of the
// samples.
#include <fstream>
#include <sstream>

#include "config/sections.hpp"
#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar;
using namespace tulpar::config;

namespace {

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file(TULPAR_CONFIG_DIR "/" + name);
  REQUIRE(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool is_option(std::string line) {
  if (line.starts_with('#')) line.erase(0, 1);
  const auto key = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  return line.starts_with('[') || (key != std::string::npos && key > 0 && line.compare(key, 3, " = ") == 0);
}
bool is_header(const std::string& line) { return line.starts_with("[") || line.starts_with("#["); }
bool is_example(const std::string& line) { return line.ends_with("# example"); }
bool is_alternative(const std::string& line) { return line.starts_with("#or "); }
std::string active(const std::string& line) { return (line.starts_with('#') ? line.substr(1) : line) + '\n'; }

// Everything un-commented.
std::string complete(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += is_option(line) ? active(line) : "\n";
  return out;
}

// The complete text with one alternative in its place, for each of them.
std::vector<std::string> alternatives(const std::vector<std::string>& lines) {
  std::vector<std::string> out;
  std::size_t option = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_option(lines[i])) option = i;
    if (!is_alternative(lines[i])) continue;
    auto changed = lines;
    changed[option] = lines[i].substr(4);
    out.push_back(complete(changed));
  }
  return out;
}

// What has a default or must be set; tables that are examples are left out, except `kept`.
std::string defaults(const std::vector<std::string>& lines, std::string_view kept = "none") {
  std::string out;
  bool skip = false;
  for (const auto& line : lines) {
    if (!is_option(line)) continue;
    if (is_header(line)) skip = is_example(line) && !has(line, kept);
    if (!skip && (is_header(line) || !is_example(line))) out += active(line);
  }
  return out;
}

void collect_keys(const Node& node, const std::string& path, std::set<std::string>& out) {
  for (const auto& field : node.fields) {
    out.insert(path + field.name);
    collect_keys(field.value, path + field.name + '.', out);
    for (const auto& item : field.value.items) collect_keys(item, path + field.name + '.', out);
  }
}

// Reads a sample as the loader does, and notes the keys it has and the keys that were asked for.
template <class T>
void note_keys(const std::string& text, std::set<std::string>& present, std::set<std::string>& known) {
  Context context;
  const auto document = parse_document(text, std::make_shared<Origin>(), context.problems);
  REQUIRE(document);
  collect_keys(*document, "", present);
  TableReader reader(*document, "", "", context);
  T value;
  const ReadFile none = from({});
  if constexpr (std::is_same_v<T, Gateway>)
    read_gateway(reader, value, {"/plans", none});
  else
    read_relay(reader, value);
  known.insert(context.known.begin(), context.known.end());
}

template <class T>
void check_all_known_keys_appear(const char* name) {
  const auto lines = lines_of(name);
  std::set<std::string> present, known;
  note_keys<T>(complete(lines), present, known);
  for (const auto& text : alternatives(lines)) note_keys<T>(text, present, known);
  CHECK(known.size() > 50);
  for (const auto& key : known) {
    CAPTURE(key);
    CHECK(present.count(key) == 1);
  }
}

// The problems that the sample may have: what it shows of plans is not all acted upon yet.
std::string unexpected(const std::vector<Problem>& problems, std::string_view expected) {
  std::string out;
  for (const auto& problem : problems)
    if (problem.severity == Severity::kError || !has(problem.key, expected)) out += explain(problem) + '\n';
  return out;
}

}  // namespace

TEST_CASE("the samples load as they are") {
  // The machine that runs the test may have settings of its own.
  const ReadFile read = [](const std::filesystem::path& path) -> Result<std::optional<std::string>> {
    return path.filename() == "settings.toml" ? std::optional<std::string>() : read_file(path);
  };
  CHECK(told(load_gateway(TULPAR_CONFIG_DIR "/gateway.sample.toml", read).problems).empty());
  CHECK(told(load_relay(TULPAR_CONFIG_DIR "/relay.sample.toml", read).problems).empty());
}

TEST_CASE("the samples load with everything un-commented") {
  CHECK(unexpected(parse_gateway(complete(lines_of("gateway.sample.toml"))).problems, "[link.plan]").empty());
  CHECK(told(parse_relay(complete(lines_of("relay.sample.toml"))).problems).empty());
}

TEST_CASE("every alternative in the samples loads") {
  const auto gateways = alternatives(lines_of("gateway.sample.toml"));
  CHECK(gateways.size() >= 12);
  for (const auto& text : gateways) {
    const auto loaded = parse_gateway(text);
    CAPTURE(told(loaded.problems));
    CHECK(loaded.ok());
  }
  const auto relays = alternatives(lines_of("relay.sample.toml"));
  CHECK(relays.size() >= 7);
  for (const auto& text : relays) {
    const auto loaded = parse_relay(text);
    CAPTURE(told(loaded.problems));
    CHECK(loaded.ok());
  }
}

TEST_CASE("what the gateway's sample shows as defaults are the defaults") {
  const auto loaded = parse_gateway(defaults(lines_of("gateway.sample.toml")));
  REQUIRE(told(loaded.problems).empty());
  Gateway expected;
  expected.name = "almaty-roof";
  expected.links.emplace_back().enrolment_file = "/etc/tulpar/almaty-roof.enrolment";
  CHECK(*loaded.value == expected);
}

TEST_CASE("what the relay's sample shows as defaults are the defaults") {
  const auto loaded = parse_relay(defaults(lines_of("relay.sample.toml")));
  REQUIRE(told(loaded.problems).empty());
  Relay expected;
  expected.name = "relay-1";
  expected.sinks.resize(1);
  expected.sinks[0].name = "sink-1";
  expected.sources.resize(1);
  CHECK(*loaded.value == expected);
}

TEST_CASE("what the sample shows as a plan's defaults are the defaults") {
  auto text = defaults(lines_of("gateway.sample.toml"), "[link.plan]");
  const std::string header = "[link.plan]  # example\n";
  text.insert(text.find(header) + header.size(), "included = \"50MB\"\n");
  const auto loaded = parse_gateway(text);
  REQUIRE(told(loaded.problems).empty());
  Plan expected;
  expected.included = 50'000'000;
  expected.hard_cap = 50'000'000;
  CHECK(loaded.value->links.at(0).plan == expected);
}

TEST_CASE("every key that the loader knows appears in the samples") {
  check_all_known_keys_appear<Gateway>("gateway.sample.toml");
  check_all_known_keys_appear<Relay>("relay.sample.toml");
}
