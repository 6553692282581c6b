// SPDX-License-Identifier: Apache-2.0
//
// Reads what a caller gave, in the query or as a JSON body, strictly: what is asked for, of the right type,
// nothing else.
//
// Plain values; any thread. Ask for every field first, then finish(): the first thing that is wrong is kept,
// with the field's name and what is allowed, for a 400. Until then a wrong field reads as if it were absent.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base.hpp"
#include "config/types.hpp"

namespace tulpar::web {

// What the readers share: which names were asked for, and the first complaint.
class InputReader {
 public:
  void fail(std::string_view name, std::string_view what);
  // Also complains of a name that nobody asked for.
  Result<void> finish();

 protected:
  void asked(std::string_view name) { known_.push_back(name); }
  virtual std::vector<std::string> given() const = 0;
  ~InputReader() = default;

 private:
  std::vector<std::string_view> known_;  // literals of the handlers
  std::optional<std::string> error_;
};

// A query parameter with an empty value counts as absent: forms send them so.
class QueryReader final : public InputReader {
 public:
  explicit QueryReader(const std::vector<std::pair<std::string, std::string>>& query) : query_(query) {}
  std::optional<std::string> text(std::string_view name, std::size_t most);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<std::string> choice(std::string_view name, std::span<const std::string_view> allowed);
  std::optional<WallTime> time(std::string_view name);

 private:
  std::vector<std::string> given() const override;
  const std::string* find(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& query_;
};

class BodyReader final : public InputReader {
 public:
  // An empty body reads as {}. A text that is no JSON object, or is nested more than 8 deep, is the first
  // complaint.
  explicit BodyReader(std::string_view body);
  bool has(std::string_view name) const { return body_.contains(name); }
  std::optional<std::string> text(std::string_view name, std::size_t most);
  std::optional<std::string> choice(std::string_view name, std::span<const std::string> allowed);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<Bytes> base64(std::string_view name, std::size_t most);
  // A decimal, as a number or as text; not negative.
  std::optional<config::Money> money(std::string_view name);
  std::optional<WallTime> time(std::string_view name);
  void require(std::string_view name);

 private:
  std::vector<std::string> given() const override;
  const boost::json::value* find(std::string_view name);
  boost::json::object body_;
};

}  // namespace tulpar::web
