// SPDX-License-Identifier: Apache-2.0
//
// The parser is compiled into this file alone, and nothing links to its shared library, so that its checks can
// be made errors.
#include "config/document.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/shape.hpp"
#include "config/text.hpp"

namespace {
// A precondition that the parser broke. Those known are kept from it by shape.hpp; one more becomes an error
// here, too, instead of an abort or, with NDEBUG, an assumption for the optimizer.
struct BrokenPrecondition {};
constexpr void demand(bool held) {
  if (!held) throw BrokenPrecondition();
}
}  // namespace

#undef NDEBUG
#define TOML_ASSERT(expr) demand(static_cast<bool>(expr))
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace tulpar::config {
namespace {

// Finds the bytes of a region that the parser tells in lines and columns, where a column is a code point.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text), lines_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
      points_.push_back(static_cast<std::uint32_t>(i));
      if (text[i] == '\n') lines_.push_back(points_.size());
    }
    points_.push_back(static_cast<std::uint32_t>(text.size()));
  }

  std::string_view text(const toml::source_region& region) const {
    const auto begin = offset(region.begin);
    return text_.substr(begin, std::max(offset(region.end), begin) - begin);
  }

 private:
  std::size_t offset(toml::source_position position) const {
    const auto line = std::min<std::size_t>(position.line - 1, lines_.size() - 1);
    return points_[std::min(lines_[line] + position.column - 1, points_.size() - 1)];
  }

  std::string_view text_;
  std::vector<std::uint32_t> points_;  // where each code point begins; the text's end is the last
  std::vector<std::size_t> lines_;     // with which code point each line begins
};

class Converter {
 public:
  Converter(std::string_view text, std::shared_ptr<const Origin> origin)
      : places_(text), origin_(std::move(origin)) {}

  Node convert(const toml::node& from) const {
    Node node;
    node.origin = origin_;
    node.line = static_cast<int>(from.source().begin.line);
    switch (from.type()) {
      case toml::node_type::table:
        convert_table(*from.as_table(), node);
        break;
      case toml::node_type::array:
        node.kind = Node::Kind::kArray;
        for (const auto& item : *from.as_array()) node.items.push_back(convert(item));
        break;
      case toml::node_type::string:
        node.kind = Node::Kind::kString;
        node.text = from.as_string()->get();
        break;
      default:
        convert_scalar(from, node);
    }
    return node;
  }

 private:
  void convert_table(const toml::table& from, Node& node) const {
    node.kind = Node::Kind::kTable;
    node.is_inline = from.is_inline();
    for (const auto& [key, value] : from) node.fields.push_back({std::string(key.str()), convert(value)});
    std::sort(node.fields.begin(), node.fields.end(),
              [](const Field& a, const Field& b) { return a.name < b.name; });
  }

  void convert_scalar(const toml::node& from, Node& node) const {
    node.text = places_.text(from.source());
    switch (from.type()) {
      case toml::node_type::integer:
        node.kind = Node::Kind::kInteger;
        node.integer = from.as_integer()->get();
        node.decimal = static_cast<double>(node.integer);
        break;
      case toml::node_type::floating_point:
        node.kind = Node::Kind::kDecimal;
        node.decimal = from.as_floating_point()->get();
        break;
      case toml::node_type::boolean:
        node.kind = Node::Kind::kBoolean;
        node.boolean = from.as_boolean()->get();
        break;
      case toml::node_type::date:
        node.kind = Node::Kind::kDate;
        break;
      case toml::node_type::time:
        node.kind = Node::Kind::kTime;
        break;
      default:
        node.kind = Node::Kind::kDateTime;
    }
  }

  Places places_;
  std::shared_ptr<const Origin> origin_;
};

}  // namespace

const Node* Node::find(std::string_view name) const {
  const auto at =
      std::lower_bound(fields.begin(), fields.end(), name,
                       [](const Field& field, std::string_view wanted) { return field.name < wanted; });
  return at != fields.end() && at->name == name ? &at->value : nullptr;
}

std::optional<Node> parse_document(std::string_view text, std::shared_ptr<const Origin> origin,
                                   Problems& problems) {
  const auto fail = [&](int line, std::string message) {
    problems.add({.file = origin->name, .line = line, .message = std::move(message)});
    return std::nullopt;
  };
  // Editors on Windows write a byte order mark; it would shift the columns of the first line.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > kMaxFile) return fail(0, fmt::format("larger than {} bytes: no configuration", kMaxFile));
  if (auto flaw = find_flaw(text)) return fail(flaw->line, "not TOML: " + flaw->message);
  try {
    const toml::table table = toml::parse(text);
    auto root = Converter(text, origin).convert(table);
    root.line = 0;
    return root;
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    return fail(static_cast<int>(at.line),
                fmt::format("not TOML at column {}: {} (texts, durations, sizes and rates stand in quotes)",
                            at.column, printable(error.description())));
  } catch (const BrokenPrecondition&) {
    return fail(0, "not TOML: the parser gave up on it");
  }
}

}  // namespace tulpar::config
