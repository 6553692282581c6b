// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/code_file.hpp"

#include <fmt/format.h>

#include <charconv>

#include "gateway/web/secrets.hpp"
#include "gateway/web/sign_in.hpp"

namespace tulpar::web {
namespace {

std::filesystem::path code_file(const std::string& state_dir) { return web_dir(state_dir) / "code"; }

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

Result<std::string> leave_code(const std::string& state_dir, const Clock& clock) {
  auto code = random_code();
  const auto until = clock.now() + SignIn::kCodeLife;
  const auto content = fmt::format("{}\n{}\n{}\n", code, until.time_since_epoch().count(), clock.boot_id());
  if (const auto written = write_private(code_file(state_dir), content); !written) return written.error();
  return {boost::system::in_place_value, std::move(code)};
}

std::optional<LeftCode> take_left_code(const std::string& state_dir, const Clock& clock) {
  const auto file = code_file(state_dir);
  const auto content = read_private(file);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  if (!content || !*content) return std::nullopt;
  std::string_view rest = **content;
  const auto code = take_line(rest), until_text = take_line(rest), boot = take_line(rest);
  std::int64_t until_ms = 0;
  const auto [end, error] = std::from_chars(until_text.data(), until_text.data() + until_text.size(), until_ms);
  if (error != std::errc() || boot != clock.boot_id() || code.size() != SignIn::kCodeLength)
    return std::nullopt;
  const BootTime until{Millis(until_ms)};
  if (until <= clock.now() || until > clock.now() + SignIn::kCodeLife) return std::nullopt;
  return LeftCode{std::string(code), until};
}

}  // namespace tulpar::web
