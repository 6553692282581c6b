// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/transport/tcp_info.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

namespace tulpar::link {
namespace {

// Of what the kernel has not cut into segments yet; small frames leave one by one, so this is what is least in
// doubt.
constexpr std::uint64_t kSegment = 1400;
constexpr std::size_t kTcpHeader = 20, kIpv4Header = 20, kIpv6Header = 40, kTimestamps = 12;
// What a SYN's options have beyond the timestamps of every segment: MSS, SACK permitted, window scale.
constexpr std::uint64_t kSynExtra = 8;

std::size_t ip_header(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return kIpv4Header;
  if (address.ss_family != AF_INET6) return kIpv4Header;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? kIpv4Header : kIpv6Header;
}

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

// One hole holds back the acknowledgement of all behind it, though these have left the link: so segments are
// asked of SACK, their bytes are the average's.
void estimate(const struct tcp_info& raw, TcpInfo& info) {
  const std::uint64_t unsent = std::min<std::uint64_t>(raw.tcpi_notsent_bytes, info.outstanding);
  const std::uint64_t unacked = info.outstanding - unsent;
  const std::uint64_t segments = std::max<std::uint64_t>(raw.tcpi_unacked, 1);
  const std::uint64_t arrived = std::min<std::uint64_t>(raw.tcpi_sacked, segments);
  const std::uint64_t gone = std::min<std::uint64_t>(arrived + raw.tcpi_lost, segments);
  const std::uint64_t flying = std::min<std::uint64_t>(segments - gone + raw.tcpi_retrans, segments);
  info.wire_arrived =
      info.payload_acked + unacked * arrived / segments + std::uint64_t{raw.tcpi_delivered} * info.header;
  const std::uint64_t to_send = unsent / kSegment + (unsent ? 1 : 0);
  info.wire_outstanding =
      unsent + unacked * flying / segments + (unacked ? flying : 0) * info.header + to_send * info.header;
}

}  // namespace

std::optional<TcpInfo> tcp_info(int fd, bool accepted) {
  struct tcp_info raw {};
  socklen_t size = sizeof raw;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &raw, &size) != 0) return std::nullopt;
  // tcpi_bytes_sent is there since Linux 4.19; an older kernel answers less.
  if (size < offsetof(struct tcp_info, tcpi_bytes_retrans)) return std::nullopt;
  TcpInfo info;
  info.header = ip_header(fd) + kTcpHeader + (raw.tcpi_options & TCPI_OPT_TIMESTAMPS ? kTimestamps : 0);
  const std::uint64_t segments_sent = std::uint64_t{raw.tcpi_segs_out} + (accepted ? 1 : 0);
  if (segments_sent) info.wire_sent = raw.tcpi_bytes_sent + segments_sent * info.header + kSynExtra;
  if (raw.tcpi_segs_in)
    info.wire_received = raw.tcpi_bytes_received + raw.tcpi_segs_in * info.header + kSynExtra;
  info.payload_acked = raw.tcpi_bytes_acked;
  info.rtt = Millis{raw.tcpi_rtt / 1000};
  // The kernel says 2^32-1 while it has no measurement.
  if (raw.tcpi_min_rtt != ~0u) info.min_rtt = Millis{raw.tcpi_min_rtt / 1000};
  int queued = 0;
  if (ioctl(fd, SIOCOUTQ, &queued) == 0 && queued > 0) info.outstanding = static_cast<std::size_t>(queued);
  estimate(raw, info);
  return info;
}

void tune_tcp(int fd, std::chrono::seconds keepalive) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096);
  if (keepalive.count() == 0) return;
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(keepalive.count()));
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 30);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

}  // namespace tulpar::link
