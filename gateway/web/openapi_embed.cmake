# SPDX-License-Identifier: Apache-2.0
#
# cmake -DINPUT=openapi.json -DOUTPUT=FILE.cpp -P openapi_embed.cmake: writes the definition of tulpar::web::openapi_json().
file(READ "${INPUT}" text)
file(WRITE "${OUTPUT}" "// Generated from gateway/web/openapi.json; do not edit.
#include \"gateway/web/openapi.hpp\"

namespace tulpar::web {

std::string_view openapi_json() {
  return R\"openapi(${text})openapi\";
}

}  // namespace tulpar::web
")
