// SPDX-License-Identifier: Apache-2.0
//
// Whether a sender that greets is the one whose numbers are here, or an old copy of its disk (FORMAT.md,
// "Greeting"). Both sides ask: the receiver of what the sender says, and the sender of what the receiver says,
// as either greeting may be the only one that arrives. Pure.
#pragma once

#include <span>

#include "config/base.hpp"
#include "queue/message_numbers.hpp"

namespace tulpar::link {

// `lives`: those that the sender remembers; `life`: the last that the receiver heard of, 0 if none. Below
// `batch_end` and `message_end` are all of its numbers that came to the receiver, as far as is known.
// Error: they came from a future that the sender has lost.
Result<void> remembers(std::span<const queue::SenderLife> lives, std::uint32_t life, std::uint64_t batch_end,
                       std::uint64_t message_end);

}  // namespace tulpar::link
