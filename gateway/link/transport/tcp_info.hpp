// SPDX-License-Identifier: Apache-2.0
//
// What the kernel knows of a TCP connection: bytes on the wire, what is outstanding, round trips.
//
// Any thread. A file of its own because <linux/tcp.h> has the late fields and clashes with <netinet/tcp.h>,
// which Asio includes.
#pragma once

#include <optional>

#include "config/base.hpp"

namespace tulpar::link {

struct TcpInfo {
  // IP level, headers and retransmissions included: payload bytes + segments × (IP + TCP header). With
  // timestamps a segment's header is 52 bytes on IPv4; SYN and SYN-ACK have 8 more. Agrees with nftables
  // counters to the byte, with 3 % loss too (but for SACK options: 12 bytes on a duplicate acknowledgement).
  std::uint64_t wire_sent = 0, wire_received = 0;
  std::uint64_t payload_acked = 0;
  std::size_t outstanding = 0;  // payload bytes in the kernel: unsent and unacknowledged
  // Estimates at IP level that know of selective acknowledgements: what has arrived at the peer, in any order;
  // and what is unsent, or sent and neither arrived nor lost.
  std::uint64_t wire_arrived = 0;
  std::size_t wire_outstanding = 0;
  std::size_t header = 52;  // bytes a segment
  Millis rtt{0}, min_rtt{0};
};

// Nothing if the kernel does not tell (not a TCP socket, too old). `accepted`: it came from a listening socket,
// which sent the SYN-ACK that the kernel counts for none.
std::optional<TcpInfo> tcp_info(int fd, bool accepted);

// Nagle off (frames are chosen when they can leave), little unsent data in the kernel, and, if `keepalive` is
// not zero, a probe after that much silence: 104 bytes at IP level, the cheapest sign of life that TCP has.
void tune_tcp(int fd, std::chrono::seconds keepalive);

}  // namespace tulpar::link
