// SPDX-License-Identifier: Apache-2.0
//
// Is this UTF-8? Asked of topics, of names inside packets, and of texts before anyone shows them.
//
// Pure functions, any thread. Strict as RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tulpar::bridge {

// Takes one code point off the front of `text`; nothing (and `text` unchanged) where no valid one stands there.
std::optional<char32_t> take_code_point(std::string_view& text);

bool valid_utf8(std::string_view text);

// The longest prefix of at most `limit` bytes that does not cut a code point of valid UTF-8 in two.
std::string_view utf8_prefix(std::string_view text, std::size_t limit);

}  // namespace tulpar::bridge
