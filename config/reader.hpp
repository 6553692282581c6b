// SPDX-License-Identifier: Apache-2.0
//
// A cursor over one table of a document: typed reads that report what is wrong and go on, so that all is told
// at once.
//
// Asking for a key makes it known; `finish` reports every key that nobody asked for. So always ask for every
// key, also for one that has no meaning beside another. A read returns nothing where the key is absent or
// wrong: the default in types.hpp stays. One loading, one thread; document, context and key names outlive the
// reader.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/check.hpp"
#include "config/document.hpp"
#include "config/types.hpp"

namespace tulpar::config {

struct Context {
  Problems problems;
  std::set<std::string> known;  // every key that was asked for, with its path: "link.plan.price"
};

// Takes a value over if there is one.
template <class T, class U>
void assign(T& out, std::optional<U> value) {
  if (value) out = static_cast<T>(*std::move(value));
}

class TableReader {
 public:
  using Visit = std::function<void(TableReader&)>;

  // `label` names the table in messages ("[mqtt] "), `path` in Context::known ("mqtt."); both empty at the top.
  TableReader(const Node& table, std::string label, std::string path, Context& context);

  std::optional<std::string> text(std::string_view key, TextCheck check = nullptr);
  // Like text; the value never appears in a message.
  std::optional<std::string> secret(std::string_view key);
  // A file's path; a relative one starts at the folder of the file in which it is written.
  std::optional<std::string> path(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key, TextCheck check, std::size_t max);
  std::optional<bool> boolean(std::string_view key);
  // Ranges are inclusive.
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<Millis> duration(std::string_view key, Millis min, Millis max);
  std::optional<ByteSize> size(std::string_view key, ByteSize min, ByteSize max);
  std::optional<BitRate> rate(std::string_view key, BitRate min, BitRate max);
  // Not negative; a number, or the same as a string.
  std::optional<Money> money(std::string_view key);
  std::optional<Bytes> base64_secret(std::string_view key);
  std::optional<int> time_of_day(std::string_view key);
  // A TOML date, as written: "2026-11-01".
  std::optional<std::string> date(std::string_view key);
  // One of the words; the enum's values are their indices.
  template <class Enum>
  std::optional<Enum> choice(std::string_view key, std::span<const std::string_view> words) {
    const auto index = word(key, words);
    return index ? std::optional(static_cast<Enum>(*index)) : std::nullopt;
  }

  // Visits the table, or each of the tables (`[[key]]`); unknown keys in them are reported.
  void table(std::string_view key, const Visit& visit);
  void tables(std::string_view key, std::size_t max, const Visit& visit);

  // The value whatever its type, made known.
  const Node* find(std::string_view key);
  bool has(std::string_view key) { return find(key) != nullptr; }
  // Reports the key as missing if it is.
  void require(std::string_view key, std::string_view example);
  // Tells of the key; where it is absent, or empty, of the table.
  void error(std::string_view key, std::string message) { report(Severity::kError, key, std::move(message)); }
  void warn(std::string_view key, std::string message) { report(Severity::kWarning, key, std::move(message)); }
  // Tells of a value somewhere below the table; `key` is how it is named from here.
  void error_at(const Node& node, std::string_view key, std::string message) {
    report(Severity::kError, &node, key, std::move(message));
  }
  Problems& problems() { return context_.problems; }
  // Reads `node`, which stands under `key`, as a table.
  void visit(std::string_view key, const Node& node, const Visit& visit);
  // Reports the keys that nobody asked for; `table`, `tables` and `visit` do this by themselves.
  void finish();

 private:
  const Node* find(std::string_view key, Node::Kind kind, std::string_view wanted);
  std::optional<std::size_t> word(std::string_view key, std::span<const std::string_view> words);
  template <class T, class Parse, class Format>
  std::optional<T> quantity(std::string_view key, T min, T max, Parse parse, Format format);
  bool is_sound(const Node& node, std::string_view key, TextCheck check);
  void visit_as(const Node& node, std::string label, std::string path, const Visit& visit);
  void report(Severity severity, std::string_view key, std::string message);
  void report(Severity severity, const Node* node, std::string_view key, std::string message);

  const Node& table_;
  std::string label_, path_;
  Context& context_;
  std::vector<std::string_view> asked_;  // views of literals and of class names, which outlive the reader
  std::vector<std::string_view> secret_;
};

}  // namespace tulpar::config
