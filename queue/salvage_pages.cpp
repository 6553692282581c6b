// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage_pages.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace tulpar::queue {
namespace {

constexpr std::int64_t kLargestFile = std::int64_t{1} << 40;  // bytes; far beyond any store
constexpr std::uint32_t kUnlikelyVersion = 1000, kPagesOfNewStore = 8;
constexpr std::uint32_t kLogMagic = 0x377f0683;  // with bit 0: its checksums are big-endian
constexpr std::int64_t kLogHeader = 32, kFrameHeader = 24, kFrame = kFrameHeader + SalvagePages::kPageSize;

std::uint32_t read_little(ByteView at) {
  return std::uint32_t{at[3]} << 24 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[1]} << 8 | at[0];
}

std::int64_t size_of(int file) {
  return file < 0 ? 0 : std::clamp<std::int64_t>(lseek(file, 0, SEEK_END), 0, kLargestFile);
}

struct Sum {
  std::uint32_t a = 0, b = 0;
  bool operator==(const Sum&) const = default;
};
Sum sum_at(ByteView at) { return {read_u32(at), read_u32(at.subspan(4))}; }

// The log's checksum goes on over `words`, whose byte order the log's header names.
Sum add(Sum sum, ByteView words, bool big_endian) {
  const auto word = big_endian ? read_u32 : read_little;
  for (std::size_t i = 0; i + 8 <= words.size(); i += 8) {
    sum.a += word(words.subspan(i)) + sum.b;
    sum.b += word(words.subspan(i + 4)) + sum.a;
  }
  return sum;
}

}  // namespace

struct SalvagePages::Frame {
  std::int64_t at = 0;        // of its page, in the log
  std::uint32_t page = 0;     // which it is; 0: not readable
  std::uint32_t commits = 0;  // pages of the file after the transaction that this frame ends; 0: it ends none
  bool fits = false;          // its checksum follows from what the frame before says
};

// All of it, or nothing.
Bytes SalvagePages::read_at(int file, std::int64_t at, std::int64_t size) const {
  Bytes bytes(static_cast<std::size_t>(size));
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t now =
        pread(file, bytes.data() + got, bytes.size() - got, at + static_cast<std::int64_t>(got));
    if (now < 0) ++refused_;
    if (now <= 0) return {};
    got += static_cast<std::size_t>(now);
  }
  return bytes;
}

SalvagePages::SalvagePages(const std::string& path)
    : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      log_(open((path + "-wal").c_str(), O_RDONLY | O_CLOEXEC)),
      pages_(static_cast<std::uint32_t>(size_of(file_) / kPageSize)) {
  bool torn_header = false;
  const auto frames = read_frames(torn_header);
  read_log(frames);
  if (torn_header && has_log() && log_damage_.empty()) log_damage_ = "its write-ahead log's header is torn";
}

SalvagePages::~SalvagePages() {
  if (file_ >= 0) close(file_);
  if (log_ >= 0) close(log_);
}

std::vector<SalvagePages::Frame> SalvagePages::read_frames(bool& torn_header) const {
  std::vector<Frame> frames;
  const std::int64_t size = size_of(log_);
  if (size < kLogHeader + kFrame) return frames;
  const Bytes begin = read_at(log_, 0, kLogHeader + kFrameHeader);
  if (begin.empty()) return frames;
  const ByteView head = begin;
  const bool known = (read_u32(head) | 1) == kLogMagic;
  const bool big_endian = known ? read_u32(head) & 1 : std::endian::native == std::endian::big;
  Sum sum = sum_at(head.subspan(24));
  torn_header = !known || add({}, head.first(24), big_endian) != sum;
  // Without a sound header its first frame says which log it is.
  const ByteView salts = head.subspan(torn_header ? kLogHeader + 8 : 16, 8);
  for (std::int64_t at = kLogHeader; at + kFrame <= size; at += kFrame) {
    Frame frame{.at = at + kFrameHeader};
    if (const Bytes bytes = read_at(log_, at, kFrame); !bytes.empty()) {
      const ByteView view = bytes;
      sum = add(add(sum, view.first(8), big_endian), view.subspan(kFrameHeader), big_endian);
      const Sum said = sum_at(view.subspan(16));
      if (std::equal(salts.begin(), salts.end(), view.begin() + 8)) {
        frame.page = read_u32(view);
        frame.commits = read_u32(view.subspan(4));
        frame.fits = sum == said && frame.page > 0;
      }
      // From what it says, right or not, so that a torn frame costs only itself.
      sum = said;
    }
    frames.push_back(frame);
  }
  return frames;
}

void SalvagePages::read_log(const std::vector<Frame>& frames) {
  std::size_t taken = 0, begin = 0;  // frames; of the transaction that is looked at
  bool whole = true;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    whole = whole && frames[i].fits;
    if (frames[i].commits == 0) continue;
    if (whole) {
      if (begin > taken && log_damage_.empty())
        log_damage_ =
            fmt::format("its write-ahead log is torn before frame {}, and acknowledged ones follow", begin);
      for (; taken <= i; ++taken) {
        const auto& frame = frames[taken];
        if (frame.fits) {
          logged_[frame.page] = frame.at;
          stale_.erase(frame.page);
        } else {
          stale_.insert(frame.page);
        }
      }
      pages_ = frames[i].commits;
    }
    begin = i + 1;
    whole = true;
  }
}

bool SalvagePages::header_fits() const {
  const Bytes bytes = page(1);
  if (bytes.empty()) return false;
  const ByteView header = bytes;
  constexpr std::uint8_t kBegin[] = {
      'S', 'Q', 'L', 'i', 't', 'e', ' ', 'f', 'o', 'r', 'm', 'a', 't', ' ', '3', 0, kPageSize >> 8, 0};
  constexpr std::uint8_t kFixed[] = {0, 64, 32, 32};  // nothing is reserved; fill of pages
  const auto is = [&](std::size_t at, std::uint32_t value) { return read_u32(header.subspan(at)) == value; };
  return std::equal(std::begin(kBegin), std::end(kBegin), header.begin()) &&
         std::equal(std::begin(kFixed), std::end(kFixed), header.begin() + 20) &&
         // Written and read by this version: a rollback journal, or a log.
         (is(44, 0) || is(44, 4)) && (header[18] == header[19]) && (header[18] == 1 || header[18] == 2) &&
         // Unicode in UTF-8; incremental vacuum. Both zero until the first table is made.
         (is(56, 0) || is(56, 1)) && is(64, 1) &&
         // A version that nobody has written.
         read_u32(header.subspan(60)) < kUnlikelyVersion && (!is(60, 0) || pages_ < kPagesOfNewStore);
}

int SalvagePages::version() const {
  return header_fits() ? static_cast<int>(read_u32(ByteView(page(1)).subspan(60))) : 0;
}

Bytes SalvagePages::page(std::uint32_t number) const {
  if (number == 0 || number > pages_) return {};
  if (const auto logged = logged_.find(number); logged != logged_.end())
    return read_at(log_, logged->second, kPageSize);
  return file_ < 0 ? Bytes{} : read_at(file_, std::int64_t{number - 1} * kPageSize, kPageSize);
}

}  // namespace tulpar::queue
