// SPDX-License-Identifier: Apache-2.0
//
// The rows of a damaged store's tables: of all pages that look like a table's, or of one tree as far as it can
// be read. One bad page costs what stands on it and nothing else, even where it is a tree's root.
//
// Not thread-safe. Everything on a page is taken for hostile: bounded, checked, never trusted. What fits the
// format may still be wrong, or stand on another table's page: whether a row makes sense is its taker's to
// judge.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "queue/salvage_pages.hpp"

namespace tulpar::queue {

// A column's value: a number or NULL, a text, a blob; our tables hold no reals.
using SalvageField = std::variant<std::optional<std::int64_t>, std::string, Bytes>;
inline bool is_null(const SalvageField& field) {
  const auto* number = std::get_if<0>(&field);
  return number && !*number;
}
struct SalvageRow {
  std::int64_t id = 0;  // 0: of a table without row numbers, or of an index
  std::vector<SalvageField> fields;
};

class SalvageRows {
 public:
  // False: it is not a row of the table that is read.
  using Take = std::function<bool(const SalvageRow&)>;
  explicit SalvageRows(const SalvagePages& pages) : pages_(&pages) {}

  // The rows of every table in the file, page by page, whether a tree reaches the page or not. (What is deleted
  // or moved leaves zeros behind: secure_delete.)
  void leaves(const Take& take);
  // The rows of the tree at page `root` that are where they belong. False: part of it is missing, or old, or
  // was not taken.
  bool tree(std::uint32_t root, const Take& take);
  // Pages that could not be read so far, or not all of them.
  std::size_t bad_pages() const { return bad_.size(); }

 private:
  struct Page;
  // Row numbers that may stand below a page: above the first, up to the second.
  using Range = std::pair<std::int64_t, std::int64_t>;
  Page read(std::uint32_t number);
  bool rows(std::uint32_t number, const Page& page, std::optional<Range> range, const Take& take);
  bool walk(std::uint32_t number, int depth, std::vector<bool>& seen, Range range, const Take& take);
  std::optional<SalvageRow> row(const Page& page, std::size_t at) const;
  std::optional<Bytes> payload(ByteView page, std::size_t at, std::uint64_t size, std::size_t local) const;

  const SalvagePages* pages_;
  std::set<std::uint32_t> bad_;
};

}  // namespace tulpar::queue
