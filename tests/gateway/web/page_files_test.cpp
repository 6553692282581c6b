// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/page_files.hpp"

#include "tests/catch.hpp"

using namespace tulpar::web;

namespace {

Request asking(std::vector<std::pair<std::string, std::string>> headers = {}) {
  Request request;
  for (auto& [name, value] : headers) request.headers.add(name, value);
  return request;
}

const PageFile& with_gzip() {
  for (const auto& file : page_files())
    if (!file.gzip.empty()) return file;
  return page_files()[0];
}

}  // namespace

TEST_CASE("the page is there, under both its names, and is always asked for again") {
  const auto page = page_response(asking(), "/");
  REQUIRE(page.has_value());
  CHECK(page->status == 200);
  CHECK(page->headers.find("Cache-Control") == "no-cache");
  CHECK(page->content() == page_response(asking(), "/index.html")->content());
  CHECK_THAT(std::string(page->content()), Contains("<!doctype html>"));
  for (const auto* path :
       {"", "/index", "/assets", "/assets/", "/../index.html", "//index.html", "/INDEX.HTML"})
    CHECK_FALSE(page_response(asking(), path));
}

TEST_CASE("every file has its type, its tag, and an encoding that the client knows") {
  for (const auto& file : page_files()) {
    INFO(file.path);
    const auto plain = page_response(asking(), file.path);
    CHECK(plain->content() == file.raw);
    CHECK_FALSE(plain->headers.find("Content-Encoding"));
    CHECK(plain->headers.find("Content-Type") == file.type);
    CHECK(plain->headers.find("Vary") == "Accept-Encoding");
    const auto immutable = std::string(plain->headers.find("Cache-Control").value()).find("immutable");
    CHECK((immutable != std::string::npos) == file.path.starts_with("/assets/"));
    const auto packed = page_response(asking({{"Accept-Encoding", "br, gzip"}}), file.path);
    CHECK(packed->headers.find("Content-Encoding").has_value() == !file.gzip.empty());
    CHECK((packed->headers.find("ETag") == plain->headers.find("ETag")) == file.gzip.empty());
    if (!file.gzip.empty()) CHECK(packed->content().substr(0, 2) == "\x1f\x8b");
  }
}

TEST_CASE("what a browser has already is not sent again") {
  const auto& file = with_gzip();
  const auto tag = std::string(page_response(asking(), file.path)->headers.find("ETag").value());
  for (const auto& list : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    const auto answer = page_response(asking({{"If-None-Match", list}}), file.path);
    INFO(list);
    CHECK(answer->status == 304);
    CHECK(answer->content().empty());
    CHECK(answer->headers.find("ETag") == tag);
  }
  CHECK(page_response(asking({{"If-None-Match", "\"other\""}}), file.path)->status == 200);
}

TEST_CASE("who accepts gzip") {
  for (const auto* yes : {"gzip", "br, GZIP;q=0.5", "*", "deflate,gzip", "gzip;q=0.001", " gzip "})
    CHECK(accepts_gzip(yes));
  for (const auto* no : {"", "br", "gzip;q=0", "gzip;q=0.000", "xgzip", "*;q=0", ","})
    CHECK_FALSE(accepts_gzip(no));
}
