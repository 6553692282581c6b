// SPDX-License-Identifier: Apache-2.0
//
// Reads the configuration of a gateway or a relay: the file, STATE_DIR/settings.toml laid over it, the plans it
// names.
//
// Returns the value, or all that is wrong with it at once. Never throws for what a file holds. Any thread;
// nothing is kept. The outside is behind `ReadFile`, so that tests need no disk.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/problem.hpp"
#include "config/types.hpp"

namespace tulpar::config {

template <class T>
struct Loaded {
  std::optional<T> value;         // there iff no problem is an error
  std::vector<Problem> problems;  // errors and warnings, in the order of the file
  bool ok() const { return value.has_value(); }
};

// A file's text; nothing where there is no such file; an Error where it cannot be read or is larger than
// kMaxFile.
using ReadFile = std::function<Result<std::optional<std::string>>(const std::filesystem::path&)>;
Result<std::optional<std::string>> read_file(const std::filesystem::path& path);

Loaded<Gateway> load_gateway(const std::filesystem::path& file, const ReadFile& read = read_file);
Loaded<Relay> load_relay(const std::filesystem::path& file, const ReadFile& read = read_file);

using AnyConfig = std::variant<Gateway, Relay>;
// Tells by the tables that only one of them has; in doubt it is read as a gateway's.
Loaded<AnyConfig> load_any(const std::filesystem::path& file, const ReadFile& read = read_file);

// The text alone, without settings.toml and without plans of the operator's own.
Loaded<Gateway> parse_gateway(std::string_view text, std::string_view name = "gateway.toml");
Loaded<Relay> parse_relay(std::string_view text, std::string_view name = "relay.toml");

}  // namespace tulpar::config
