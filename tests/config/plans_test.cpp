// SPDX-License-Identifier: Apache-2.0
#include "config/plans.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar::config;

TEST_CASE("every plan of the folder is built in, byte for byte") {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(TULPAR_CONFIG_DIR "/plans")) {
    std::stringstream text;
    text << std::ifstream(file.path(), std::ios::binary).rdbuf();
    CHECK(preset_text(file.path().stem().string()) == text.str());
    names.push_back(file.path().stem().string());
  }
  CHECK(names.size() >= 3);
  CHECK(names.size() == presets().size());
  CHECK(std::is_sorted(presets().begin(), presets().end(),
                       [](const auto& a, const auto& b) { return a.name < b.name; }));
  CHECK(preset_text("none").empty());
}

TEST_CASE("every built-in plan loads without a word, limits the bill and says that it is an example") {
  for (const auto& preset : presets()) {
    CAPTURE(preset.name);
    CHECK(told_of("plan = \"" + std::string(preset.name) + "\"").empty());
    const auto plan = gateway("plan = \"" + std::string(preset.name) + "\"").links.at(0).plan.value();
    CHECK(plan.hard_cap.value() > 0);
    CHECK(plan.reserve > 0);
    CHECK(has(preset.text.substr(0, preset.text.find('\n')), "AN EXAMPLE, 20"));
  }
}
