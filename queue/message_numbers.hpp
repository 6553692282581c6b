// SPDX-License-Identifier: Apache-2.0
//
// How a store's message numbers towards a peer are laid out: in blocks, the last numbers of each set aside.
//
// Constants and pure functions. A block is reserved on disk before one of its numbers is given, and every start
// begins a new one, so that no crash gives a number twice. The store gives the ordinary numbers in the
// transaction that accepts a message. Those set aside are given on the loop thread, to emergencies that may
// have to leave before the disk has them (DESIGN.md §6): they are reserved already, and no transaction is
// needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tulpar::queue {

// A busy mesh (23 messages a minute) fills a block in two days; 2^62 numbers are 2^46 starts.
inline constexpr std::uint64_t kNumberBlock = 65'536;
// Emergencies that can leave without a disk in one life: each node has three at once and one in ten minutes.
inline constexpr std::uint64_t kNumbersAside = 256;

// A start of a sender, as its peer may know it: a random name (not 0), and where its numbers ended as far as
// its store knows. What the peer has of that life beyond them is of a future that the store lost: it is an old
// copy.
struct SenderLife {
  std::uint32_t name = 1;
  // All message and batch numbers of it are below these. 0 in the present life.
  std::uint64_t message_end = 0, batch_end = 0;
  bool operator==(const SenderLife&) const = default;
};
// Starts that may follow each other without a number reaching the peer. After more, it may take a store that
// went on for one that was restored from a backup.
inline constexpr std::size_t kMostLives = 64;

// The end of the block that holds `number`.
constexpr std::uint64_t block_end(std::uint64_t number) { return (number / kNumberBlock + 1) * kNumberBlock; }
// The first number set aside in that block.
constexpr std::uint64_t first_aside(std::uint64_t number) { return block_end(number) - kNumbersAside; }
constexpr bool is_aside(std::uint64_t number) { return number >= first_aside(number); }

}  // namespace tulpar::queue
