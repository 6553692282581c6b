// SPDX-License-Identifier: Apache-2.0
#include "gateway/plain_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <vector>

namespace tulpar {
namespace {

namespace json = boost::json;

std::string number_text(double value) {
  if (std::abs(value) >= 100) return fmt::format("{:.0f}", value);
  auto text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string cell(const json::value& value) {
  if (value.is_null() || value.is_structured()) return "";
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_double()) return number_text(value.as_double());
  if (value.is_bool()) return value.as_bool() ? "yes" : "no";
  return json::serialize(value);
}

// UTF-8: bytes that continue a character take no room.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

struct Column {
  std::string name;
  std::vector<std::string> cells;
  bool numbers = true;
  std::size_t room = 0;
};

std::vector<Column> columns_of(const json::array& rows) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [key, value] : rows[i].as_object()) {
      const auto text = cell(value);
      if (text.empty()) continue;
      const std::string_view name(key.data(), key.size());
      auto column = std::find_if(columns.begin(), columns.end(), [&](auto& c) { return c.name == name; });
      if (column == columns.end())
        column = columns.insert(columns.end(), {std::string(name), {}, true, width(name)});
      column->cells.resize(rows.size());
      column->cells[i] = text;
      column->numbers &= value.is_number();
      column->room = std::max(column->room, width(text));
    }
  }
  return columns;
}

std::string padded(const std::string& text, const Column& column) {
  const std::string blanks(column.room - width(text), ' ');
  return column.numbers ? blanks + text : text + blanks;
}

std::string table(const json::array& rows, const std::string& indent) {
  const auto columns = columns_of(rows);
  std::vector<std::string> lines(rows.size() + 1, indent);
  for (const auto& column : columns) {
    const char* gap = &column == columns.data() ? "" : "  ";
    lines[0] += gap + padded(column.name, column);
    for (std::size_t i = 0; i < rows.size(); ++i) lines[i + 1] += gap + padded(column.cells[i], column);
  }
  std::string text;
  for (auto& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string list(const json::array& values, const std::string& indent) {
  if (!values.empty() && std::all_of(values.begin(), values.end(), [](auto& v) { return v.is_object(); }))
    return table(values, indent);
  std::string text;
  for (const auto& value : values) text += fmt::format("{}{}\n", indent, cell(value));
  return text;
}

std::string lines(const json::object& object, const std::string& indent) {
  std::string text;
  for (const auto& [key, value] : object) {
    const std::string_view name(key.data(), key.size());
    if (value.is_object())
      text += fmt::format("{}{}:\n{}", indent, name, lines(value.as_object(), indent + "  "));
    else if (value.is_array() && value.as_array().empty())
      text += fmt::format("{}{}: none\n", indent, name);
    else if (value.is_array())
      text += fmt::format("{}{}:\n{}", indent, name, list(value.as_array(), indent + "  "));
    else if (!value.is_null())
      text += fmt::format("{}{}: {}\n", indent, name, cell(value));
  }
  return text;
}

}  // namespace

std::string plain_text(const json::value& value) {
  if (value.is_object()) return lines(value.as_object(), "");
  if (value.is_array()) return list(value.as_array(), "");
  return cell(value) + "\n";
}

}  // namespace tulpar
