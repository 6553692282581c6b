// SPDX-License-Identifier: Apache-2.0
//
// The API's description, openapi.json, as it was when the program was built.
#pragma once

#include <string_view>

namespace tulpar::web {

std::string_view openapi_json();

}  // namespace tulpar::web
