// SPDX-License-Identifier: Apache-2.0
#include "config/shape.hpp"

#include <string>
#include <utility>

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

// Knows where a key, a value or a bracket can stand, so that what it takes for a string is one for the parser,
// too.
class Scanner {
 public:
  // What is wrong with the next line; nullptr: nothing.
  const char* scan(std::string_view line) {
    const auto first = line.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return nullptr;
    if (open_.empty() && line[first] == '[' && !is_header(line.substr(first)))
      return "a table is written [name] or [[name]]";
    key_ = key_ || open_.empty();
    last_ = kLineBegin;
    dots_ = 0;
    for (auto i = first; i < line.size() && line[i] != '#'; ++i) {
      if (kSpace.find(line[i]) != std::string_view::npos) continue;
      if (const char* complaint = take(line[i])) return complaint;
      last_ = line[i];
      if (line[i] != '"' && line[i] != '\'') continue;
      if (line.substr(i).starts_with(std::string(3, line[i])))
        return "texts stand in one pair of quotes, in one line";
      i = end_of_string(line, i);
      if (i == std::string_view::npos) break;
    }
    return nullptr;
  }

 private:
  static constexpr char kLineBegin = '\n';

  const char* take(char c) {
    if ((static_cast<unsigned char>(c) & 0x80) != 0)
      return "only ASCII may stand outside quotes (mind typographic quotes and spaces)";
    switch (c) {
      case '.':
        return ++dots_ > kMaxDots ? "too many dots in one line" : nullptr;
      case ',':
        key_ = in_table();
        return nullptr;
      case '=':
        return std::exchange(key_, false) ? nullptr : "an = without a key before it";
      case '"':
      case '\'':
        return can_begin("{") ? nullptr : "quotes begin a text, not in the middle of something else";
      case '[':
      case '{':
        return open(c);
      case ']':
      case '}':
        close();
        return nullptr;
      default:
        return nullptr;
    }
  }

  const char* open(char c) {
    if (!can_begin("")) return "a bracket begins a list or a table, not in the middle of something else";
    if (open_.size() == kMaxNesting) return "too many brackets inside each other";
    open_ += c;
    key_ = c == '{';
    return nullptr;
  }

  void close() {
    if (!open_.empty()) open_.pop_back();
  }

  bool in_table() const { return open_.ends_with('{'); }

  // Whether a new value can begin behind what came last; `more` are further characters behind which it can.
  bool can_begin(std::string_view more) const {
    return std::string_view("\n=,[").find(last_) != std::string_view::npos ||
           more.find(last_) != std::string_view::npos;
  }

  std::string open_;        // the brackets that are open
  bool key_ = true;         // a key can come, or has come and waits for its `=`
  char last_ = kLineBegin;  // the last character that is no space
  int dots_ = 0;            // in this line
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
