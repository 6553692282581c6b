// SPDX-License-Identifier: Apache-2.0
//
// 64 bits that stand for a message's topic and payload, or for either: to recognise it again without keeping
// it.
//
// Pure, any thread. The first bytes of SHA-256: whoever makes up the messages must not be able to choose two
// that are taken for one. The same on every machine and in every version, so it may be stored.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::bridge {

std::uint64_t fingerprint(ByteView bytes);
// Of both, with the border between them.
std::uint64_t fingerprint(std::string_view topic, ByteView payload);

}  // namespace tulpar::bridge
