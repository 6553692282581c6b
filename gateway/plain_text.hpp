// SPDX-License-Identifier: Apache-2.0
//
// A JSON answer as a person reads it in a terminal: keys and values, lists of objects as tables.
//
// Pure; any thread. What is null, and columns in which nothing stands, are left out.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace tulpar {

// Lines, each ending with a newline. Tables are as wide as what stands in them: for a terminal, not for scripts
// (these ask for JSON).
std::string plain_text(const boost::json::value& value);

}  // namespace tulpar
