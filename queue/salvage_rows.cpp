// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage_rows.hpp"

#include <algorithm>
#include <limits>

namespace tulpar::queue {
namespace {

constexpr std::size_t kUsable = SalvagePages::kPageSize;  // nothing of a page is reserved
constexpr std::uint8_t kIndexInner = 2, kTableInner = 5, kIndexLeaf = 10, kTableLeaf = 13;
// A tree of the largest file has fewer levels.
constexpr int kDeepest = 20;
// A topic and a payload at their largest, and room.
constexpr std::uint64_t kLargestRow = 2u << 20;

constexpr std::pair<std::int64_t, std::int64_t> kAnyRow = {std::numeric_limits<std::int64_t>::min(),
                                                           std::numeric_limits<std::int64_t>::max()};

bool is_inner(std::uint8_t type) { return type == kIndexInner || type == kTableInner; }
bool is_tree(std::uint8_t type) { return is_inner(type) || type == kIndexLeaf || type == kTableLeaf; }

std::size_t read_u16(ByteView at) { return std::size_t{at[0]} << 8 | at[1]; }

// Reads forward through bytes; `good` is false once they have ended too early.
struct Cursor {
  ByteView bytes;
  std::size_t at = 0;
  bool good = true;

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int i = 0; i < 9; ++i) {
      if (at >= bytes.size()) {
        good = false;
        return 0;
      }
      const std::uint8_t byte = bytes[at++];
      if (i == 8) return value << 8 | byte;
      value = value << 7 | (byte & 0x7f);
      if (!(byte & 0x80)) break;
    }
    return value;
  }
  ByteView take(std::uint64_t size) {
    if (!good || size > bytes.size() - at) {
      good = false;
      return {};
    }
    at += static_cast<std::size_t>(size);
    return bytes.subspan(at - static_cast<std::size_t>(size), static_cast<std::size_t>(size));
  }
};

std::int64_t integer(ByteView bytes) {
  std::uint64_t value = bytes[0] & 0x80 ? ~std::uint64_t{0} : 0;
  for (const auto byte : bytes) value = value << 8 | byte;
  return static_cast<std::int64_t>(value);
}

std::optional<SalvageField> field(std::uint64_t type, Cursor& values) {
  constexpr std::uint64_t kIntegerSizes[] = {0, 1, 2, 3, 4, 6, 8};
  if (type == 0) return SalvageField{};
  if (type == 8 || type == 9) return static_cast<std::int64_t>(type - 8);
  if (type >= 7 && type < 12) return std::nullopt;
  const ByteView bytes = values.take(type < 7 ? kIntegerSizes[type] : (type - 12) / 2);
  if (!values.good) return std::nullopt;
  if (type < 7) return integer(bytes);
  if (type % 2) return std::string(as_text(bytes));
  return Bytes(bytes.begin(), bytes.end());
}

// A record: the types of its columns, then their values, and nothing behind them.
std::optional<std::vector<SalvageField>> record(ByteView bytes) {
  Cursor start{bytes};
  const std::uint64_t head = start.varint();
  if (!start.good || head < start.at || head > bytes.size()) return std::nullopt;
  Cursor types{bytes.first(static_cast<std::size_t>(head)), start.at};
  Cursor values{bytes, static_cast<std::size_t>(head)};
  std::vector<SalvageField> fields;
  while (types.at < head) {
    const std::uint64_t type = types.varint();
    auto value = types.good ? field(type, values) : std::nullopt;
    if (!value) return std::nullopt;
    fields.push_back(std::move(*value));
  }
  if (values.at != bytes.size()) return std::nullopt;
  return fields;
}

// How much of a payload stands on the tree's page itself.
std::size_t local_part(std::uint64_t size, bool table) {
  const std::size_t most = table ? kUsable - 35 : (kUsable - 12) * 64 / 255 - 23;
  const std::size_t least = (kUsable - 12) * 32 / 255 - 23;
  if (size <= most) return static_cast<std::size_t>(size);
  const std::size_t fit = least + static_cast<std::size_t>((size - least) % (kUsable - 4));
  return fit <= most ? fit : least;
}

}  // namespace

struct SalvageRows::Page {
  Bytes bytes;
  std::uint8_t type = 0;
  std::vector<std::size_t> cells;  // where they begin
  std::uint32_t last_child = 0;    // of an inner page
  bool sound = false;              // nothing is known to be wrong with it
};

SalvageRows::Page SalvageRows::read(std::uint32_t number) {
  Page page{.bytes = pages_->page(number), .cells = {}};
  const std::size_t head = number == 1 ? 100 : 0;  // the file's own header
  if (page.bytes.empty() || !is_tree(page.bytes[head])) {
    bad_.insert(number);
    return page;
  }
  const ByteView view = page.bytes;
  page.type = view[head];
  page.sound = !pages_->is_stale(number);
  if (is_inner(page.type)) page.last_child = read_u32(view.subspan(head + 8));
  const std::size_t array = head + (is_inner(page.type) ? 12 : 8);
  const std::size_t end = array + 2 * read_u16(view.subspan(head + 3));
  if (end > kUsable) page.sound = false;
  for (std::size_t slot = array; slot < end && slot + 2 <= kUsable; slot += 2) {
    const std::size_t at = read_u16(view.subspan(slot));
    if (at >= end && at + 4 <= kUsable)
      page.cells.push_back(at);
    else
      page.sound = false;
  }
  if (!page.sound) bad_.insert(number);
  return page;
}

void SalvageRows::leaves(const Take& take) {
  for (std::uint32_t number = 2; number <= pages_->pages(); ++number) {
    const Bytes bytes = pages_->page(number);
    if (bytes.empty()) bad_.insert(number);
    if (!bytes.empty() && bytes[0] == kTableLeaf) rows(number, read(number), std::nullopt, take);
  }
}

bool SalvageRows::tree(std::uint32_t root, const Take& take) {
  std::vector<bool> seen(pages_->pages() + std::size_t{1});
  return walk(root, 0, seen, kAnyRow, take);
}

bool SalvageRows::walk(std::uint32_t number, int depth, std::vector<bool>& seen, Range range,
                       const Take& take) {
  if (depth == kDeepest || number == 0 || number >= seen.size() || seen[number]) return false;
  seen[number] = true;
  const Page page = read(number);
  bool whole = rows(number, page, range, take) && page.sound;
  if (!is_inner(page.type)) return whole;
  for (const std::size_t at : page.cells) {
    Cursor cell{page.bytes, at + 4};
    const auto key = page.type == kTableInner ? static_cast<std::int64_t>(cell.varint()) : range.first;
    const Range below{range.first, page.type == kTableInner ? key : range.second};
    whole = walk(read_u32(ByteView(page.bytes).subspan(at)), depth + 1, seen, below, take) && whole;
    range.first = key;
  }
  return walk(page.last_child, depth + 1, seen, range, take) && whole;
}

bool SalvageRows::rows(std::uint32_t number, const Page& page, std::optional<Range> range, const Take& take) {
  if (page.type == kTableInner) return true;
  if (page.type != kTableLeaf) range.reset();
  bool all = true;
  for (const std::size_t at : page.cells) {
    const auto found = row(page, at);
    const bool belongs = found && (!range || (found->id > range->first && found->id <= range->second));
    if (belongs && range) range->first = found->id;
    if (!belongs) bad_.insert(number);
    all = belongs && take(*found) && all;
  }
  return all;
}

std::optional<SalvageRow> SalvageRows::row(const Page& page, std::size_t at) const {
  const bool table = page.type == kTableLeaf;
  Cursor cursor{page.bytes, at + (page.type == kIndexInner ? 4 : 0)};
  const std::uint64_t size = cursor.varint();
  SalvageRow found;
  if (table) found.id = static_cast<std::int64_t>(cursor.varint());
  if (!cursor.good || size > kLargestRow) return std::nullopt;
  const auto bytes = payload(page.bytes, cursor.at, size, local_part(size, table));
  auto fields = bytes ? record(*bytes) : std::nullopt;
  if (!fields) return std::nullopt;
  found.fields = std::move(*fields);
  return found;
}

std::optional<Bytes> SalvageRows::payload(ByteView page, std::size_t at, std::uint64_t size,
                                          std::size_t local) const {
  Cursor cursor{page, at};
  const ByteView here = cursor.take(local);
  Bytes bytes(here.begin(), here.end());
  const ByteView link = size > local ? cursor.take(4) : ByteView{};
  if (!cursor.good) return std::nullopt;
  for (std::uint32_t next = link.empty() ? 0 : read_u32(link); bytes.size() < size;) {
    const Bytes more = pages_->is_stale(next) ? Bytes{} : pages_->page(next);
    if (more.empty()) return std::nullopt;
    const auto part = std::min<std::size_t>(kUsable - 4, static_cast<std::size_t>(size) - bytes.size());
    bytes.insert(bytes.end(), more.begin() + 4, more.begin() + 4 + static_cast<std::ptrdiff_t>(part));
    next = read_u32(more);
  }
  return bytes;
}

}  // namespace tulpar::queue
