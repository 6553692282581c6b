// SPDX-License-Identifier: Apache-2.0
//
// Random values, comparing them, and the small private files in STATE_DIR/web that keep some of them.
//
// Pure but for the files; any thread. Files are written whole, mode 0600, by renaming over the old one: a crash
// leaves the old or the new, and its folder (0700) is made when it is missing. Where root writes, the owner of
// the folder owns the file. Errors name the file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::web {

// From OpenSSL's generator. Throws where that has no entropy: a guessable session would be worse than no page.
Bytes random_bytes(std::size_t count);
// Twice as many hexadecimal digits.
std::string random_hex(std::size_t bytes);
// In a time that depends on the lengths only.
bool same_secret(std::string_view a, std::string_view b);

// STATE_DIR/web
std::filesystem::path web_dir(const std::string& state_dir);

Result<void> write_private(const std::filesystem::path& file, std::string_view content);
// Nothing iff there is no such file. At most 64 KiB.
Result<std::optional<std::string>> read_private(const std::filesystem::path& file);

// The token for scripts, STATE_DIR/web/token: made when it is missing or too short to be one of ours.
Result<std::string> load_or_make_token(const std::string& state_dir);

}  // namespace tulpar::web
