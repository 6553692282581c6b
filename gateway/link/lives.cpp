// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/lives.hpp"

#include <algorithm>

namespace tulpar::link {

Result<void> remembers(std::span<const queue::SenderLife> lives, std::uint32_t life, std::uint64_t batch_end,
                       std::uint64_t message_end) {
  if (life == 0) return {};
  const auto known = std::find_if(lives.begin(), lives.end(), [&](auto& one) { return one.name == life; });
  if (known == lives.end()) return Error{"the sender does not remember the life in which it sent what is here"};
  if (&*known != &lives.back() && (batch_end > known->batch_end || message_end > known->message_end))
    return Error{"the sender does not remember all that it sent in an earlier life"};
  return {};
}

}  // namespace tulpar::link
