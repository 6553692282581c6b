// SPDX-License-Identifier: Apache-2.0
#include "config/shape.hpp"

#include <algorithm>

namespace tulpar::config {
namespace {

constexpr std::string_view kSpace = " \t";

bool begins_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '"' || c == '\'';
}

// The place of the quote that ends the string which begins at `begin`; npos: none does in this line.
std::size_t end_of_string(std::string_view line, std::size_t begin) {
  const char quote = line[begin];
  for (auto i = begin + 1; i < line.size(); ++i) {
    if (line[i] == quote) return i;
    if (line[i] == '\\' && quote == '"') ++i;
  }
  return std::string_view::npos;
}

// Whether a line that begins with `[` outside of arrays names a table: `[key` or `[[key`, with spaces before
// the key.
bool is_header(std::string_view line) {
  line.remove_prefix(line.starts_with("[[") ? 2 : 1);
  const auto key = line.find_first_not_of(kSpace);
  return key != std::string_view::npos && begins_key(line[key]);
}

class Scanner {
 public:
  // What is wrong with the next line; nullptr: nothing.
  const char* scan(std::string_view line) {
    const auto first = line.find_first_not_of(kSpace);
    if (depth_ == 0 && first != std::string_view::npos && line[first] == '[' && !is_header(line.substr(first)))
      return "a table is written [name] or [[name]]";
    dots_ = 0;
    for (std::size_t i = 0; i < line.size() && line[i] != '#'; ++i) {
      if (const char* complaint = take(line[i])) return complaint;
      if (line[i] != '"' && line[i] != '\'') continue;
      if (line.substr(i).starts_with(std::string(3, line[i])))
        return "texts stand in one pair of quotes, in one line";
      i = end_of_string(line, i);
      if (i == std::string_view::npos) break;
    }
    return nullptr;
  }

 private:
  const char* take(char c) {
    if (c == '.' && ++dots_ > kMaxDots) return "too many dots in one line";
    if ((c == '[' || c == '{') && ++depth_ > kMaxNesting) return "too many brackets inside each other";
    if (c == ']' || c == '}') depth_ = std::max(depth_ - 1, 0);
    if ((static_cast<unsigned char>(c) & 0x80) != 0)
      return "only ASCII may stand outside quotes (mind typographic quotes and spaces)";
    return nullptr;
  }

  int depth_ = 0;
  int dots_ = 0;
};

}  // namespace

std::optional<Flaw> find_flaw(std::string_view text) {
  Scanner scanner;
  for (int line = 1;; ++line) {
    const auto end = text.find('\n');
    if (const char* complaint = scanner.scan(text.substr(0, end))) return Flaw{line, complaint};
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
}

}  // namespace tulpar::config
