// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tulpar::queue {
namespace {

// Their rows look like no other table's: taken wherever they stand, first from where they belong.
constexpr const char* kByShape[] = {"message", "body", "peer", "seen", "link"};
// Taken from where they belong.
constexpr const char* kByTree[] = {"boot", "class", "node",  "sink",  "received", "closed",
                                   "mark", "book",  "drops", "usage", "undated"};
// Each has an index of its names, with their row numbers.
struct Named {
  const char* table;
  const char* insert;  // ?1 row number, ?2 name; the rest is mended
};
constexpr Named kNamed[] = {
    {"boot", "INSERT OR IGNORE INTO boot(id, name, last_boot) VALUES(?1, ?2, 0)"},
    {"class", "INSERT OR IGNORE INTO class(id, name) VALUES(?1, ?2)"},
    {"node", "INSERT OR IGNORE INTO node(id, name) VALUES(?1, ?2)"},
    {"sink", "INSERT OR IGNORE INTO sink(bit, name) VALUES(?1, ?2)"},
    {"peer", "INSERT OR IGNORE INTO peer(id, name, own_incarnation) VALUES(?1, ?2, 1)"},
    {"link", "INSERT OR IGNORE INTO link(id, name) VALUES(?1, ?2)"},
};

// A number that may be one of a row or a page.
std::optional<std::int64_t> number(const SalvageRow& row, std::size_t column) {
  const auto* found = std::get_if<0>(&row.fields[column]);
  return found && *found && **found >= 0 && **found <= kLargestRowId ? *found : std::nullopt;
}

// One table of the new store, which tells what a row of it looks like.
class Table {
 public:
  Table(Database& fresh, std::string name) : name_(std::move(name)) {
    Statement info(fresh, fmt::format("PRAGMA table_info({})", name_));
    int keys = 0;
    while (info.step()) {
      const std::string type = info.text(2);
      keys += info.integer(5) > 0;
      columns_.push_back({.type = type == "INTEGER" ? 0u
                                  : type == "TEXT"  ? 1u
                                                    : 2u,
                          .nullable = info.integer(3) == 0,
                          .key = info.integer(5) > 0});
    }
    for (auto& column : columns_) column.row_id = column.key && keys == 1 && column.type == 0;
    std::string values = "?1";
    for (std::size_t i = 1; i < columns_.size(); ++i) values += fmt::format(", ?{}", i + 1);
    insert_.emplace(fresh, fmt::format("INSERT OR IGNORE INTO {} VALUES({})", name_, values));
  }

  const std::string& name() const { return name_; }
  bool fits(const SalvageRow& row) const {
    if (row.fields.size() != columns_.size()) return false;
    return std::equal(columns_.begin(), columns_.end(), row.fields.begin(),
                      [&](const Column& column, const SalvageField& field) {
                        if (column.row_id) return is_null(field) && row.id >= 0 && row.id <= kLargestRowId;
                        return is_null(field) ? column.nullable : field.index() == column.type;
                      });
  }
  bool take(const SalvageRow& row) {
    if (!fits(row)) return false;
    insert_->reset();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const int at = static_cast<int>(i) + 1;
      if (columns_[i].row_id)
        insert_->set(at, row.id);
      else
        std::visit([&](const auto& value) { insert_->set(at, value); }, row.fields[i]);
    }
    insert_->step();
    return true;
  }

 private:
  struct Column {
    std::size_t type = 0;  // as SalvageField's index
    bool nullable = false, key = false, row_id = false;
  };
  std::string name_;
  std::vector<Column> columns_;
  std::optional<Statement> insert_;
};

// A row of an index of names, or of SQLite's own table of sequences.
struct NameAndNumber {
  std::string name;
  std::int64_t number = 0;
};
std::optional<NameAndNumber> name_and_number(const SalvageRow& row) {
  const auto* name = row.fields.size() == 2 ? std::get_if<std::string>(row.fields.data()) : nullptr;
  const auto value = name ? number(row, 1) : std::nullopt;
  return value ? std::optional(NameAndNumber{*name, *value}) : std::nullopt;
}

class Copy {
 public:
  Copy(SalvageRows& rows, Database& fresh) : rows_(&rows), fresh_(&fresh) {}

  std::set<std::string> run() {
    find_roots();
    std::vector<Table> tables;
    for (const auto* name : kByShape) tables.emplace_back(*fresh_, name);
    for (auto& table : tables) note_tree(table.name(), [&](const auto& row) { return table.take(row); });
    rows_->leaves([&](const SalvageRow& row) {
      return std::any_of(tables.begin(), tables.end(), [&](Table& table) { return table.take(row); });
    });
    for (const auto* name : kByTree) {
      Table table(*fresh_, name);
      note_tree(name, [&](const auto& row) { return table.take(row); });
    }
    take_names();
    skip_rows();
    return missing_;
  }

 private:
  // As the file has them, else as every new store does: SQLite gives roots in the order of creation.
  void find_roots() {
    Statement schema(*fresh_, "SELECT name, rootpage FROM sqlite_schema");
    while (schema.step()) roots_[schema.text(0)] = static_cast<std::uint32_t>(schema.integer(1));
    rows_->tree(1, [&](const SalvageRow& row) {
      const auto* name = row.fields.size() == 5 ? std::get_if<std::string>(&row.fields[1]) : nullptr;
      const auto root = name && roots_.contains(*name) ? number(row, 3) : std::nullopt;
      if (root) roots_[*name] = static_cast<std::uint32_t>(*root);
      return root.has_value();
    });
  }

  void note_tree(const std::string& name, const SalvageRows::Take& take) {
    if (!rows_->tree(roots_[name], take)) missing_.insert(name);
  }

  // A name that its table lost; a page may have lost rows without a trace.
  void take_names() {
    for (const auto& [table, insert] : kNamed) {
      Statement add(*fresh_, insert);
      rows_->tree(roots_[fmt::format("sqlite_autoindex_{}_1", table)], [&](const SalvageRow& row) {
        const auto found = name_and_number(row);
        if (found) add.run(found->number, found->name);
        return found.has_value();
      });
    }
  }

  // No row number is given twice, whatever stood on lost pages.
  void skip_rows() {
    std::map<std::string, std::int64_t> given;
    const bool whole = rows_->tree(roots_["sqlite_sequence"], [&](const SalvageRow& row) {
      const auto found = name_and_number(row);
      if (found) given[found->name] = found->number;
      return found.has_value();
    });
    Statement forget(*fresh_, "DELETE FROM sqlite_sequence WHERE name = ?1");
    Statement note(*fresh_, "INSERT INTO sqlite_sequence(name, seq) VALUES(?1, ?2)");
    for (const auto& [table, known] : {std::pair("message",
                                                 "SELECT max(coalesce((SELECT max(id) FROM message), 0), "
                                                 "coalesce((SELECT max(id) FROM body), 0))"),
                                       std::pair("mark", "SELECT coalesce(max(id), 0) FROM mark")}) {
      const std::int64_t last = std::max(given[table], fresh_->query_int(known));
      forget.run(table);
      note.run(table, whole && given[table] == last ? last : last + kRowsToSkip);
    }
  }

  SalvageRows* rows_;
  Database* fresh_;
  std::map<std::string, std::uint32_t> roots_;
  std::set<std::string> missing_;
};

}  // namespace

std::set<std::string> copy_tables(SalvageRows& rows, Database& fresh) { return Copy(rows, fresh).run(); }

}  // namespace tulpar::queue
