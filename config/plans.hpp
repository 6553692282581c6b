// SPDX-License-Identifier: Apache-2.0
//
// The plan presets that are built into the program: config/plans/*.toml, embedded by embed.cmake.
//
// Constant data, any thread. They are examples; a file STATE_DIR/plans/NAME.toml of the same name takes their
// place.
#pragma once

#include <span>
#include <string_view>

namespace tulpar::config {

struct Preset {
  std::string_view name;  // the file's name without .toml
  std::string_view text;  // its TOML; the first comment line says what it is
};

// Sorted by name.
std::span<const Preset> presets();
// Empty iff there is none of that name.
std::string_view preset_text(std::string_view name);

}  // namespace tulpar::config
