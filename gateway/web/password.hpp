// SPDX-License-Identifier: Apache-2.0
//
// The operator's password: scrypt (RFC 7914), in STATE_DIR/web/password.
//
// Any thread, but slow by design (a tenth of a second, a second on a small router; 8 MiB while it runs): never
// on the loop thread, and one at a time. The file holds one line, `scrypt:N:r:p:SALT:HASH`, numbers decimal,
// the rest base64.
#pragma once

#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::web {

inline constexpr std::size_t kMinPassword = 8;
// Enough for any sentence; more would only keep the hash busy.
inline constexpr std::size_t kMaxPassword = 1024;

// The line for a password, under a fresh salt.
std::string hash_password(std::string_view password);
// False also for a line that is not one of ours, or asks for more than 64 MiB.
bool matches(std::string_view password, std::string_view line);

// Sets the operator's password, for whoever may write to the state directory (`tulpar passwd`, `tulpar setup`).
// Holds at once; sessions that are open stay open until DELETE /api/v1/sessions. Error: too short, too long, or
// the file's.
Result<void> set_password(const std::string& state_dir, std::string_view password);
// Checks it. Error: none is set, or the file cannot be read.
Result<bool> check_password(const std::string& state_dir, std::string_view password);

}  // namespace tulpar::web
