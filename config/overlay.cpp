// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "config/document.hpp"
#include "config/types.hpp"

namespace tulpar::config {
namespace {

// Lists whose tables merge by name. All others are replaced: else nothing could be taken out of them.
struct NamedList {
  std::string_view key;
  std::string fallback;  // the name of a table that gives none; empty: it has to
};

const NamedList* named_list(std::string_view key) {
  static const NamedList kLists[] = {{"class", ""}, {"link", Link{}.name}};
  const auto at =
      std::find_if(std::begin(kLists), std::end(kLists), [&](const auto& list) { return list.key == key; });
  return at == std::end(kLists) ? nullptr : at;
}

std::string_view name_of(const Node& item, const NamedList& list) {
  const Node* name = item.find("name");
  if (!name) return list.fallback;
  return name->kind == Node::Kind::kString ? std::string_view(name->text) : std::string_view{};
}

bool all_named(const Node& node, const NamedList& list) {
  return node.kind == Node::Kind::kArray &&
         std::all_of(node.items.begin(), node.items.end(), [&](const Node& item) {
           return item.kind == Node::Kind::kTable && !name_of(item, list).empty();
         });
}

bool is_section(const Node& node) { return node.kind == Node::Kind::kTable && !node.is_inline; }

Node merge_named(Node base, Node over, const NamedList& list) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < base.items.size(); ++i) places.emplace(name_of(base.items[i], list), i);
  for (auto& item : over.items) {
    const auto place = places.find(std::string(name_of(item, list)));
    if (place == places.end())
      base.items.push_back(std::move(item));
    else
      base.items[place->second] = overlay(std::move(base.items[place->second]), std::move(item));
  }
  return base;
}

Node merge(std::string_view key, Node base, Node over) {
  if (base.kind == Node::Kind::kTable && is_section(over)) return overlay(std::move(base), std::move(over));
  const auto* list = named_list(key);
  if (list && all_named(base, *list) && all_named(over, *list))
    return merge_named(std::move(base), std::move(over), *list);
  return over;
}

}  // namespace

Node overlay(Node base, Node over) {
  std::vector<Field> merged;
  merged.reserve(base.fields.size() + over.fields.size());
  auto b = base.fields.begin();
  for (auto& field : over.fields) {
    for (; b != base.fields.end() && b->name < field.name; ++b) merged.push_back(std::move(*b));
    if (b != base.fields.end() && b->name == field.name) {
      merged.push_back({b->name, merge(b->name, std::move(b->value), std::move(field.value))});
      ++b;
    } else {
      merged.push_back(std::move(field));
    }
  }
  std::move(b, base.fields.end(), std::back_inserter(merged));
  base.fields = std::move(merged);
  return base;
}

}  // namespace tulpar::config
