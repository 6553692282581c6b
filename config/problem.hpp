// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a configuration, for an operator to act on: file, line, key, what stands there, what is
// allowed.
//
// Plain values. A loader collects all problems in one `Problems`; it belongs to one loading and one thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tulpar::config {

enum class Severity {
  kError,    // the configuration cannot be used
  kWarning,  // it can, but something in it does not do what it says
};

struct Problem {
  Severity severity = Severity::kError;
  std::string file{};
  int line = 0;           // from 1; 0: the file as a whole
  std::string key{};      // with its table: `[[link]] rate`; empty: none
  std::string value{};    // as it stands in the file; empty: nothing stands there, or it is a secret
  std::string message{};  // what is wrong; what is allowed
  bool operator==(const Problem&) const = default;
};

// One line, without a newline: `gateway.toml:14: [[link]] rate = "96bits": not a rate; write e.g. "9600bit/s"`.
std::string explain(const Problem& problem);

// The candidate with the fewest edits (insertion, deletion, replacement, swap of neighbours) away; one that
// begins with the text is one edit away. Empty iff none is given. Of long texts the first 64 bytes are
// compared.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

class Problems {
 public:
  // A hostile file must not fill memory or the log with its complaints: what comes later is only counted.
  static constexpr std::size_t kMax = 100;

  void add(Problem problem);
  bool has_errors() const { return errors_; }
  // All in the order of file and line, the file `first` before others; a last entry tells of those left out.
  std::vector<Problem> take(std::string_view first);

 private:
  std::vector<Problem> problems_;
  std::size_t left_out_ = 0;
  bool errors_ = false;
};

}  // namespace tulpar::config
