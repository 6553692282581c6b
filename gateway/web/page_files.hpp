// SPDX-License-Identifier: Apache-2.0
//
// The operator's page: its built files, embedded in the program, and how they are served.
//
// Constant data; any thread. A build without the page (TULPAR_PAGE=OFF) has one file that says so.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "gateway/web/http.hpp"

namespace tulpar::web {

struct PageFile {
  std::string_view path;  // "/index.html", "/assets/..."
  std::string_view type;
  std::string_view digest;  // of the content, hexadecimal SHA-256
  std::string_view raw, gzip;
  bool immutable;  // its name changes with its content
};

// Generated (page_embed.mjs), or of page_none.cpp.
std::span<const PageFile> page_files();

// Nothing: there is no such file. `path` as in the request's target, "/" for the page itself.
std::optional<Response> page_response(const Request& request, std::string_view path);

// True iff an Accept-Encoding header allows gzip.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace tulpar::web
