// SPDX-License-Identifier: Apache-2.0
//
// The one sentence on top of the page: does it work, and if not, which part is broken.
//
// Pure functions of the status.
#pragma once

#include <string>
#include <utility>

#include "gateway/web/status.hpp"

namespace tulpar {

// True, and the sentence, if all is well. `link_problem`: of the last attempt to reach the relay.
std::pair<bool, std::string> gateway_verdict(const web::Status& status, const std::string& link_problem);
std::pair<bool, std::string> relay_verdict(const web::Status& status);

}  // namespace tulpar
