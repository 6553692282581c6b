// SPDX-License-Identifier: Apache-2.0
//
// Helpers for tests that load configurations: files in memory, and what was told about them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/load.hpp"

namespace tulpar::config {

// The least that a gateway needs.
inline constexpr std::string_view kGateway = R"(name = "roof"
state_dir = "/state"
[[link]]
enrolment_file = "/etc/tulpar/roof.enrolment"
)";
inline constexpr std::string_view kRelay = R"(name = "relay-1"
state_dir = "/state"
[[sink]]
)";

using Files = std::map<std::string, std::string>;

inline ReadFile from(Files files) {
  return [files = std::move(files)](const std::filesystem::path& path) -> Result<std::optional<std::string>> {
    const auto file = files.find(path.string());
    return file == files.end() ? std::nullopt : std::optional(file->second);
  };
}

inline std::string told(const std::vector<Problem>& problems) {
  std::string out;
  for (const auto& problem : problems) out += explain(problem) + '\n';
  return out;
}

// What is told about a gateway that has `more` in its file, at the end; "" where all is well.
inline std::string told_of(std::string_view more) {
  return told(parse_gateway(std::string(kGateway) + std::string(more), "g").problems);
}

// Throws with what was told where it does not load.
inline Gateway gateway(std::string_view more) {
  auto loaded = parse_gateway(std::string(kGateway) + std::string(more));
  if (!loaded.ok()) throw std::runtime_error(told(loaded.problems));
  return *std::move(loaded.value);
}
inline Relay relay(std::string_view text) {
  auto loaded = parse_relay(text);
  if (!loaded.ok()) throw std::runtime_error(told(loaded.problems));
  return *std::move(loaded.value);
}

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace tulpar::config
