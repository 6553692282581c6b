# SPDX-License-Identifier: Apache-2.0
#
# cmake -DOUTPUT=FILE.cpp -P embed.cmake -- PLAN.toml...: writes the definition of tulpar::config::presets().
set(entries "")
set(given FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  set(file "${CMAKE_ARGV${i}}")
  if(given)
    get_filename_component(name "${file}" NAME_WLE)
    file(READ "${file}" text)
    string(APPEND entries "    {\"${name}\", R\"plan(${text})plan\"},\n")
  elseif(file STREQUAL "--")
    set(given TRUE)
  endif()
endforeach()
file(WRITE "${OUTPUT}" "// Generated from config/plans/*.toml; do not edit.
#include \"config/plans.hpp\"

namespace tulpar::config {

std::span<const Preset> presets() {
  static constexpr Preset kPresets[] = {
${entries}  };
  return kPresets;
}

}  // namespace tulpar::config
")
