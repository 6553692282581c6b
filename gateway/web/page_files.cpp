// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/page_files.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tulpar::web {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view take_item(std::string_view& list, char separator) {
  const auto end = list.find(separator);
  const auto item = trimmed(list.substr(0, end));
  list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  return item;
}

// If-None-Match compares weakly (RFC 9110, 13.1.2).
bool names_tag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    auto item = take_item(list, ',');
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == tag || item == "*") return true;
  }
  return false;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    auto item = take_item(accept_encoding, ',');
    const auto coding = take_item(item, ';');
    if (!equal_ignoring_case(coding, "gzip") && coding != "*") continue;
    // "q=0", "q=0.000": refused.
    const bool refused = item.starts_with("q=0") && item.find_first_not_of("0.", 2) == std::string_view::npos;
    return !refused;
  }
  return false;
}

std::optional<Response> page_response(const Request& request, std::string_view path) {
  if (path == "/") path = "/index.html";
  const auto files = page_files();
  const auto file =
      std::find_if(files.begin(), files.end(), [path](const PageFile& f) { return f.path == path; });
  if (file == files.end()) return std::nullopt;
  const bool gzip = !file->gzip.empty() && accepts_gzip(request.headers.find("Accept-Encoding").value_or(""));
  // A strong tag names the bytes, and those of the two encodings differ.
  const auto tag = fmt::format("\"{}{}\"", file->digest, gzip ? "-gz" : "");
  Response response;
  response.headers.add("ETag", tag);
  response.headers.add("Vary", "Accept-Encoding");
  response.headers.add("Cache-Control", file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (names_tag(request.headers.find("If-None-Match").value_or(""), tag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", std::string(file->type));
  if (gzip) response.headers.add("Content-Encoding", "gzip");
  response.fixed = gzip ? file->gzip : file->raw;
  return response;
}

}  // namespace tulpar::web
