// SPDX-License-Identifier: Apache-2.0
//
// node page_embed.mjs DIST OUTPUT.cpp: writes the definition of tulpar::web::page_files() from the built page, each file
// plainly and gzipped, so that the server neither compresses nor inflates anything.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const kTypes = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};
// Where gzip does not win this much, a client is not asked to inflate.
const kWorthwhile = 0.9;

function* filesBelow(folder, path = "") {
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    if (statSync(file).isDirectory()) yield* filesBelow(file, `${path}/${name}`);
    else yield [`${path}/${name}`, readFileSync(file)];
  }
}

const bytes = (name, buffer) =>
  `constexpr unsigned char ${name}[] = {${[...buffer].join(",").replace(/(.{1,110}),/g, "$1,\n")}};\n`;
const view = (name, buffer) => (buffer ? `view(${name}, ${buffer.length})` : "{}");

const [dist, output] = process.argv.slice(2);
let data = "";
let entries = "";
for (const [path, raw] of filesBelow(dist)) {
  const type = kTypes[path.split(".").pop()];
  if (!type) throw new Error(`${path}: no content type is known for it; add one to page_embed.mjs`);
  if (raw.length === 0) throw new Error(`${path} is empty`);
  const packed = gzipSync(raw, { level: 9 });
  const gzip = packed.length < raw.length * kWorthwhile ? packed : null;
  const index = entries.split("\n").length - 1;
  const digest = createHash("sha256").update(raw).digest("hex");
  data += bytes(`kRaw${index}`, raw) + (gzip ? bytes(`kGzip${index}`, gzip) : "");
  entries += `      {"${path}", "${type}", "${digest}", ${view(`kRaw${index}`, raw)}, ${view(`kGzip${index}`, gzip)}, ${path.startsWith("/assets/")}},\n`;
}
if (!entries.includes('"/index.html"')) throw new Error(`${dist} has no index.html: was the page built?`);

writeFileSync(
  output,
  `// Generated from gateway/web/page; do not edit.
#include "gateway/web/page_files.hpp"

namespace tulpar::web {
namespace {

${data}
std::string_view view(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

std::span<const PageFile> page_files() {
  static const PageFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace tulpar::web
`,
);
