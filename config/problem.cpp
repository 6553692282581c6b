// SPDX-License-Identifier: Apache-2.0
#include "config/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace tulpar::config {
namespace {

constexpr std::size_t kCompared = 64;

// Optimal string alignment; both texts at most kCompared bytes.
std::size_t edits(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kCompared + 1>;
  Row before{}, last{}, now{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({replaced, last[j] + 1, now[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = last;
    last = now;
  }
  return last[b.size()];
}

}  // namespace

std::string explain(const Problem& problem) {
  std::string out = problem.file;
  if (problem.line > 0) out += fmt::format(":{}", problem.line);
  out += problem.severity == Severity::kWarning ? ": warning: " : ": ";
  if (!problem.key.empty()) out += problem.key;
  if (!problem.value.empty()) out += " = " + problem.value;
  if (!problem.key.empty()) out += ": ";
  return out + problem.message;
}

std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates) {
  const auto distance = [&](std::string_view candidate) -> std::size_t {
    // "user" is meant to be "username", not "host".
    if (!text.empty() && candidate.starts_with(text)) return candidate == text ? 0 : 1;
    return edits(text.substr(0, kCompared), candidate.substr(0, kCompared));
  };
  const auto best = std::min_element(candidates.begin(), candidates.end(),
                                     [&](auto a, auto b) { return distance(a) < distance(b); });
  return best == candidates.end() ? std::string_view{} : *best;
}

void Problems::add(Problem problem) {
  errors_ |= problem.severity == Severity::kError;
  if (problems_.size() < kMax)
    problems_.push_back(std::move(problem));
  else
    ++left_out_;
}

std::vector<Problem> Problems::take(std::string_view first) {
  std::stable_sort(problems_.begin(), problems_.end(), [&](const Problem& a, const Problem& b) {
    return std::tuple(a.file != first, std::string_view(a.file), a.line) <
           std::tuple(b.file != first, std::string_view(b.file), b.line);
  });
  if (left_out_ > 0)
    problems_.push_back({.severity = errors_ ? Severity::kError : Severity::kWarning,
                         .file = std::string(first),
                         .message = fmt::format("{} more problems, not listed", left_out_)});
  return std::move(problems_);
}

}  // namespace tulpar::config
