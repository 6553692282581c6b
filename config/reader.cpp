// SPDX-License-Identifier: Apache-2.0
#include "config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/text.hpp"
#include "config/units.hpp"

namespace tulpar::config {
namespace {

constexpr std::size_t kMaxListed = 12;  // known keys that a message lists

// A scalar as it stands in the file; empty for what has several lines.
std::string written(const Node& node) {
  if (node.kind == Node::Kind::kArray || node.kind == Node::Kind::kTable) return {};
  if (node.kind == Node::Kind::kString) return quote_short(node.text);
  return node.text.size() <= 60 ? node.text : node.text.substr(0, 60) + "...";
}

bool is_bare(std::string_view key) {
  return !key.empty() && key.size() <= 60 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

std::string quoted_list(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", word);
  return out;
}

}  // namespace

TableReader::TableReader(const Node& table, std::string label, std::string path, Context& context)
    : table_(table), label_(std::move(label)), path_(std::move(path)), context_(context) {}

const Node* TableReader::find(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  context_.known.insert(path_ + std::string(key));
  return table_.find(key);
}

const Node* TableReader::find(std::string_view key, Node::Kind kind, std::string_view wanted) {
  const Node* node = find(key);
  if (!node || node->kind == kind) return node;
  error(key, fmt::format("must be {}", wanted));
  return nullptr;
}

std::optional<std::string> TableReader::text(std::string_view key, TextCheck check) {
  const Node* node = find(key, Node::Kind::kString, "text in quotes");
  if (!node || !is_sound(*node, key, check)) return std::nullopt;
  return node->text;
}

bool TableReader::is_sound(const Node& node, std::string_view key, TextCheck check) {
  if (has_control(node.text)) {
    report(Severity::kError, &node, key, "control characters are not allowed");
    return false;
  }
  const auto result = check ? check(node.text) : Result<void>{};
  if (!result) report(Severity::kError, &node, key, result.error().message);
  return result.has_value();
}

std::optional<std::string> TableReader::secret(std::string_view key) {
  secret_.emplace_back(key);
  return text(key);
}

std::optional<Bytes> TableReader::base64_secret(std::string_view key) {
  const auto written = secret(key);
  if (!written) return std::nullopt;
  auto bytes = parse_base64(*written);
  if (bytes) return *std::move(bytes);
  error(key, bytes.error().message);
  return std::nullopt;
}

std::optional<std::string> TableReader::path(std::string_view key) {
  const auto written = text(key);
  if (!written || written->empty()) return written;
  return (find(key)->origin->folder / *written).lexically_normal().string();
}

std::optional<std::vector<std::string>> TableReader::texts(std::string_view key, TextCheck check,
                                                           std::size_t max) {
  const Node* node = find(key, Node::Kind::kArray, R"(a list of texts, e.g. [ "one", "two" ])");
  if (!node) return std::nullopt;
  if (node->items.size() > max) {
    error(key, fmt::format("too many; {} are allowed", max));
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const auto& item = node->items[i];
    const auto item_key = fmt::format("{}[{}]", key, i + 1);
    if (item.kind != Node::Kind::kString)
      report(Severity::kError, &item, item_key, "must be text in quotes");
    else if (is_sound(item, item_key, check))
      out.push_back(item.text);
  }
  return out.size() == node->items.size() ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Node* node = find(key, Node::Kind::kBoolean, "true or false, without quotes");
  return node ? std::optional(node->boolean) : std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const auto wanted = fmt::format("a whole number, {} to {}", min, max);
  const Node* node = find(key, Node::Kind::kInteger, wanted);
  if (!node) return std::nullopt;
  if (node->integer >= min && node->integer <= max) return node->integer;
  error(key, fmt::format("must be {}", wanted));
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key, double min, double max) {
  const Node* node = find(key);
  if (!node) return std::nullopt;
  const bool is_number = node->kind == Node::Kind::kInteger || node->kind == Node::Kind::kDecimal;
  // Not-a-number is in no range.
  if (is_number && node->decimal >= min && node->decimal <= max) return node->decimal;
  error(key, fmt::format("must be a number, {} to {}", min, max));
  return std::nullopt;
}

template <class T, class Parse, class Format>
std::optional<T> TableReader::quantity(std::string_view key, T min, T max, Parse parse, Format format) {
  const Node* node = find(key);
  if (!node) return std::nullopt;
  const auto range = fmt::format("{} to {}", format(min), format(max));
  if (node->kind != Node::Kind::kString) {
    error(key, fmt::format("must be text in quotes, a number with its unit ({})", range));
    return std::nullopt;
  }
  const auto value = parse(node->text);
  if (!value)
    error(key, fmt::format("{} ({})", value.error().message, range));
  else if (*value < min || *value > max)
    error(key, fmt::format("out of range; allowed is {}", range));
  else
    return *value;
  return std::nullopt;
}

std::optional<Millis> TableReader::duration(std::string_view key, Millis min, Millis max) {
  return quantity(key, min, max, parse_duration, format_duration);
}

std::optional<ByteSize> TableReader::size(std::string_view key, ByteSize min, ByteSize max) {
  return quantity(key, min, max, parse_size, format_size);
}

std::optional<BitRate> TableReader::rate(std::string_view key, BitRate min, BitRate max) {
  return quantity(key, min, max, parse_rate, format_rate);
}

std::optional<Money> TableReader::money(std::string_view key) {
  const Node* node = find(key);
  if (!node) return std::nullopt;
  const bool is_number = node->kind == Node::Kind::kInteger || node->kind == Node::Kind::kDecimal;
  const auto value = is_number                           ? parse_money(without_underscores(node->text))
                     : node->kind == Node::Kind::kString ? parse_money(node->text)
                                                         : parse_money("");
  if (value && *value >= 0) return *value;
  error(key, value ? "must not be negative" : value.error().message);
  return std::nullopt;
}

std::optional<int> TableReader::time_of_day(std::string_view key) {
  const Node* node = find(key, Node::Kind::kString, R"(a time of day in quotes, e.g. "07:30")");
  if (!node) return std::nullopt;
  const auto value = parse_time_of_day(node->text);
  if (value) return *value;
  error(key, value.error().message);
  return std::nullopt;
}

std::optional<std::string> TableReader::date(std::string_view key) {
  const Node* node = find(key, Node::Kind::kDate, "a date without quotes, e.g. 2026-11-01");
  return node ? std::optional(node->text) : std::nullopt;
}

std::optional<std::size_t> TableReader::word(std::string_view key, std::span<const std::string_view> words) {
  const Node* node = find(key);
  if (!node) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (node->kind == Node::Kind::kString && node->text == words[i]) return i;
  error(key, fmt::format("must be one of {}", quoted_list(words)));
  return std::nullopt;
}

void TableReader::visit(std::string_view key, const Node& node, const Visit& visit) {
  const auto path = path_ + std::string(key);
  visit_as(node, node.is_inline ? fmt::format("{}{}.", label_, key) : fmt::format("[{}] ", path), path + '.',
           visit);
}

void TableReader::visit_as(const Node& node, std::string label, std::string path, const Visit& visit) {
  TableReader reader(node, std::move(label), std::move(path), context_);
  visit(reader);
  reader.finish();
}

void TableReader::table(std::string_view key, const Visit& visit_table) {
  const auto wanted = fmt::format("a table, written [{}{}] and there once", path_, key);
  if (const Node* node = find(key, Node::Kind::kTable, wanted)) visit(key, *node, visit_table);
}

void TableReader::tables(std::string_view key, std::size_t max, const Visit& visit) {
  const auto path = path_ + std::string(key);
  const auto wanted = fmt::format("a list of tables, each written [[{}]]", path);
  const Node* node = find(key, Node::Kind::kArray, wanted);
  if (!node) return;
  if (node->items.size() > max) error(key, fmt::format("too many; {} are allowed", max));
  for (std::size_t i = 0; i < std::min(node->items.size(), max); ++i) {
    const Node& item = node->items[i];
    if (item.kind != Node::Kind::kTable) {
      report(Severity::kError, &item, fmt::format("{}[{}]", key, i + 1), fmt::format("must be {}", wanted));
      continue;
    }
    visit_as(item, item.is_inline ? fmt::format("{}{}[{}].", label_, key, i + 1) : fmt::format("[[{}]] ", path),
             path + '.', visit);
  }
}

void TableReader::require(std::string_view key, std::string_view example) {
  if (!has(key)) error(key, fmt::format("missing; write e.g. {} = {}", key, example));
}

void TableReader::report(Severity severity, std::string_view key, std::string message) {
  report(severity, table_.find(key), key, std::move(message));
}

void TableReader::report(Severity severity, const Node* node, std::string_view key, std::string message) {
  const bool hidden = std::find(secret_.begin(), secret_.end(), key) != secret_.end();
  const Node& place = node ? *node : table_;
  auto shown = label_ + std::string(key);
  while (shown.ends_with(' ') || shown.ends_with('.')) shown.pop_back();
  context_.problems.add({.severity = severity,
                         .file = place.origin->name,
                         .line = place.line,
                         .key = std::move(shown),
                         .value = node && !hidden ? written(*node) : std::string{},
                         .message = std::move(message)});
}

void TableReader::finish() {
  std::sort(asked_.begin(), asked_.end());
  for (const auto& field : table_.fields) {
    if (std::binary_search(asked_.begin(), asked_.end(), field.name)) continue;
    std::string message = "unknown key";
    if (const auto near = nearest(field.name, asked_); !near.empty())
      message += fmt::format("; the nearest known one is \"{}\"", near);
    if (asked_.size() <= kMaxListed) message += fmt::format(" (known here: {})", fmt::join(asked_, ", "));
    // What stands there may be a secret under a misspelt name.
    const auto shown = is_bare(field.name) ? field.name : quote_short(field.name);
    context_.problems.add({.file = field.value.origin->name,
                           .line = field.value.line,
                           .key = label_ + shown,
                           .message = std::move(message)});
  }
}

}  // namespace tulpar::config
