// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/web/schema.hpp"

#include <algorithm>
#include <set>

namespace tulpar::web {
namespace {

namespace json = boost::json;

std::string kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "integer";
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "";
}

bool is_a(const std::string& kind, const json::value& type) {
  const auto fits = [&](const json::value& name) {
    return name.as_string() == kind || (name.as_string() == "number" && kind == "integer");
  };
  if (!type.is_array()) return fits(type);
  const auto& types = type.get_array();
  return std::any_of(types.begin(), types.end(), fits);
}

class Comparison {
 public:
  explicit Comparison(const json::object& document) : document_(document) {}

  void compare(const json::value& value, const json::object& given, const std::string& at) {
    const auto& schema = resolved(given, document_);
    if (const auto* one_of = schema.if_contains("oneOf")) return compare_one_of(value, one_of->as_array(), at);
    const auto kind = kind_of(value);
    if (const auto* type = schema.if_contains("type"); type && !is_a(kind, *type))
      found.push_back(at + ": is " + kind);
    if (const auto* allowed = schema.if_contains("enum")) {
      const auto& values = allowed->as_array();
      if (std::find(values.begin(), values.end(), value) == values.end())
        found.push_back(at + ": " + json::serialize(value));
    }
    if (const auto* array = value.if_array(); array && schema.contains("items"))
      for (std::size_t i = 0; i < array->size(); ++i)
        compare((*array)[i], schema.at("items").as_object(), at + "[" + std::to_string(i) + "]");
    if (const auto* object = value.if_object()) compare_object(*object, schema, at);
  }
  std::vector<std::string> found;

 private:
  void compare_one_of(const json::value& value, const json::array& schemas, const std::string& at) {
    const auto fits = std::count_if(schemas.begin(), schemas.end(), [&](const json::value& schema) {
      return mismatches(value, schema.as_object(), document_).empty();
    });
    if (fits != 1) found.push_back(at + ": fits " + std::to_string(fits) + " of oneOf");
  }
  void properties_of(const json::object& given, json::object& properties, std::set<std::string>& required) {
    const auto& schema = resolved(given, document_);
    if (const auto* all = schema.if_contains("allOf"))
      for (const auto& part : all->as_array()) properties_of(part.as_object(), properties, required);
    if (const auto* own = schema.if_contains("properties"))
      for (const auto& property : own->as_object())
        properties.insert_or_assign(property.key(), property.value());
    if (const auto* names = schema.if_contains("required"))
      for (const auto& name : names->as_array()) required.emplace(name.as_string());
  }
  void compare_object(const json::object& object, const json::object& schema, const std::string& at) {
    json::object properties;
    std::set<std::string> required;
    properties_of(schema, properties, required);
    for (const auto& name : required)
      if (!object.contains(name)) found.push_back(at + "." + name + ": is missing");
    if (properties.empty()) return;
    for (const auto& field : object) {
      const auto place = at + "." + std::string(field.key());
      const auto* property = properties.if_contains(field.key());
      property ? compare(field.value(), property->as_object(), place)
               : found.push_back(place + ": is not described");
    }
  }

  const json::object& document_;
};

}  // namespace

const json::object& resolved(const json::object& schema, const json::object& document) {
  const auto* reference = schema.if_contains("$ref");
  if (!reference) return schema;
  // All of them are "#/components/...".
  const std::string pointer(reference->as_string().subview(std::string_view("#/components").size()));
  return document.at("components").at_pointer(pointer).as_object();
}

std::vector<std::string> mismatches(const json::value& value, const json::object& schema,
                                    const json::object& document) {
  Comparison comparison(document);
  comparison.compare(value, schema, "$");
  return comparison.found;
}

}  // namespace tulpar::web
