// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/page_files.hpp"

namespace tulpar::web {
namespace {

constexpr std::string_view kText =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Tulpar</title>\n"
    "<p>This build of Tulpar has no page (it was configured with TULPAR_PAGE=OFF). The API is at "
    "/api/v1/status; on the "
    "machine itself, <code>tulpar status</code> shows the same figures.</p>\n</html>\n";

}  // namespace

std::span<const PageFile> page_files() {
  static constexpr PageFile kFiles[] = {{.path = "/index.html",
                                         .type = "text/html; charset=utf-8",
                                         .digest = "none",
                                         .raw = kText,
                                         .gzip = {},
                                         .immutable = false}};
  return kFiles;
}

}  // namespace tulpar::web
