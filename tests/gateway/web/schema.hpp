// SPDX-License-Identifier: Apache-2.0
//
// Compares JSON with the schemas of openapi.json: the part of JSON Schema that stands there, and strictly, i.e.
// what is not described may not be there.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace tulpar::web {

// What does not fit, each with its place; empty: all fits.
std::vector<std::string> mismatches(const boost::json::value& value, const boost::json::object& schema,
                                    const boost::json::object& document);

// Follows a "$ref" inside the document.
const boost::json::object& resolved(const boost::json::object& schema, const boost::json::object& document);

}  // namespace tulpar::web
