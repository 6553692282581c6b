// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON text piece by piece, without a tree in between: lists of a thousand messages are usual.
//
// A plain value; any thread. The caller balances object()/array() with end(). Strings that are not UTF-8 (a
// topic may hold anything) get U+FFFD in place of each bad byte: a browser ends a WebSocket on a single one.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/types.hpp"

namespace tulpar::web {

class JsonWriter {
 public:
  JsonWriter& object() { return open('{'); }
  JsonWriter& array() { return open('['); }
  JsonWriter& end();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool yes) { return raw(yes ? "true" : "false"); }
  JsonWriter& value(double number);  // null unless finite
  JsonWriter& value(std::nullopt_t) { return raw("null"); }
  template <std::integral T>
  JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : raw("null");
  }
  // RFC 3339 text, UTC.
  JsonWriter& value(WallTime at);
  // A JSON number with exactly the digits of the amount.
  JsonWriter& money(config::Money amount);

  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    key(name);
    return value(content);
  }
  // null where there is nothing to say.
  JsonWriter& text_or_null(std::string_view name, std::string_view text);

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& raw(std::string_view token);
  void separate();

  std::string out_;
  std::string closing_;  // of what is open, the innermost last
  bool comma_ = false;
};

}  // namespace tulpar::web
