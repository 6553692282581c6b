// SPDX-License-Identifier: Apache-2.0
#include "config/plans.hpp"

#include <algorithm>

namespace tulpar::config {

std::string_view preset_text(std::string_view name) {
  const auto all = presets();
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const Preset& preset) { return preset.name == name; });
  return at == all.end() ? std::string_view{} : at->text;
}

}  // namespace tulpar::config
