// SPDX-License-Identifier: Apache-2.0
//
// A one-time code for a server that is not running yet: `tulpar setup` leaves it in STATE_DIR/web/code, and the
// server takes it when it starts.
//
// Any thread. Valid for 15 minutes of the same boot, from when it was left: no wall clock is asked, it may not
// be set.
#pragma once

#include <optional>
#include <string>

#include "config/base.hpp"

namespace tulpar::web {

struct LeftCode {
  std::string code;
  BootTime until{};
};

// Replaces one that was left before. Returns the code.
Result<std::string> leave_code(const std::string& state_dir, const Clock& clock);
// Removes the file; nothing if there is none, or what it holds is no longer valid.
std::optional<LeftCode> take_left_code(const std::string& state_dir, const Clock& clock);

}  // namespace tulpar::web
