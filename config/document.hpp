// SPDX-License-Identifier: Apache-2.0
//
// A TOML file as a tree that knows where each value stands and how exactly it was written.
//
// Why not the parser's own tree: prices must be read from their digits, not from a double; a value must
// remember its file when two files are laid over each other; and the parser's headers stay in one source file.
// Plain values; `Origin` is shared by all nodes of a file. Hostile input is bounded: size, nesting, dotted
// keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace tulpar::config {

// Ten times the longest file that anybody wrote by hand is still far below.
inline constexpr std::size_t kMaxFile = 1u << 20;

struct Origin {
  std::string name;              // as shown to the operator
  std::filesystem::path folder;  // what relative paths in the file are relative to
};

struct Field;

struct Node {
  enum class Kind { kString, kInteger, kDecimal, kBoolean, kDate, kTime, kDateTime, kArray, kTable };
  Kind kind = Kind::kTable;
  bool is_inline = false;  // a table written { … }
  bool boolean = false;
  int line = 0;
  std::int64_t integer = 0;
  double decimal = 0;
  std::string text;           // a string's value; of other scalars the digits and signs in the file
  std::vector<Node> items;    // of an array
  std::vector<Field> fields;  // of a table, sorted by name
  std::shared_ptr<const Origin> origin;

  const Node* find(std::string_view name) const;
};

struct Field {
  std::string name;
  Node value;
};

// Nothing iff it is no TOML 1.0 or breaks a bound; `problems` then has one more error.
std::optional<Node> parse_document(std::string_view text, std::shared_ptr<const Origin> origin,
                                   Problems& problems);

// `over` laid over `base`, both tables. Tables merge key by key, the tables of the lists `class` and `link` by
// their name (new ones follow at the end). Everything else is replaced as a whole: values, other lists, inline
// tables.
Node overlay(Node base, Node over);

}  // namespace tulpar::config
