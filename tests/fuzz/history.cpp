// SPDX-License-Identifier: Apache-2.0
//
// The shared history as both ends keep it (FORMAT.md, "Base"): whatever arrives in which order, is lost, given
// up or forgotten by a crash, the receiver makes the base that the sender meant.
//
// The sender's rule of what enters is Outgoing's, written down once more.
#include "gateway/link/history.hpp"

#include "gateway/link/frame.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::link;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

struct Open {
  std::optional<BaseName> name;
  Base base;
  Bytes plain;
  bool enters = false, arrived = false;
  std::uint64_t base_at = 0;
};

struct Ends {
  History sender{kBaseWindow}, receiver{kReceiverKeeps};
  std::map<std::uint64_t, Open> open;
  std::uint64_t next = 1, from = 1, entered = 0;

  std::uint64_t base_at() const {
    std::uint64_t at = entered;
    for (const auto& [number, batch] : open)
      if (batch.enters) at -= batch.plain.size();
    return at;
  }
  bool room(std::size_t plain) const {
    std::uint64_t oldest = base_at();
    for (const auto& [number, batch] : open)
      if (batch.name) oldest = std::min(oldest, batch.base_at);
    return entered + plain - oldest <= kBaseWindow;
  }

  void make(Bytes plain, bool may_enter) {
    if (open.size() >= kMaxOpenBatches) return;
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, batch] : open) numbers.push_back(number);
    Open batch{.name = sender.name(numbers), .base = {}, .plain = std::move(plain)};
    if (batch.name) batch.base = sender.base(*batch.name);
    require(!batch.name || batch.name->newest < next, "a base is made of what was sent before");
    require(!batch.name || batch.base.text.size() <= kBaseWindow, "a base has a bound");
    batch.enters = may_enter && room(batch.plain.size());
    batch.base_at = base_at();
    if (batch.enters) entered += batch.plain.size();
    open.emplace(next++, std::move(batch));
  }
  void arrive(std::uint64_t number, Open& batch) {
    if (batch.arrived) return;
    batch.arrived = true;
    if (batch.name) {
      const Base there = receiver.base(*batch.name);
      require(there.text == batch.base.text && there.digest == batch.base.digest,
              "both ends make the same base");
    }
    if (batch.enters) receiver.add(number, batch.plain);
  }
  void acknowledge(std::uint64_t number, Open& batch) {
    if (!batch.arrived) return;
    if (batch.enters && number >= from) sender.add(number, std::move(batch.plain));
    open.erase(number);
  }
  void give_up(std::uint64_t number) {
    open.erase(number);
    receiver.remove(number, 1);
  }
  void forget() {
    sender.clear();
    from = next;
  }
  // The sender knows of its batches from the floor on no more; one fresh number ends their void.
  void crash() {
    const std::uint64_t floor = open.empty() ? next : open.begin()->first;
    ++next;
    sender.remove(floor, next - floor);
    receiver.remove(floor, next - floor);
    open.clear();
    entered = 0;
    from = 1;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  Ends ends;
  while (!in.empty()) {
    const std::uint8_t what = in.u8();
    if (what >= 0x80) {
      const std::size_t length = std::size_t{in.u8()} * (what & 4 ? 400 : 1);
      ends.make(Bytes(length, static_cast<std::uint8_t>(what * 7)), what % 4 != 0);
      continue;
    }
    if (what == 0x7F) ends.crash();
    if (ends.open.empty()) continue;
    const auto at = std::next(ends.open.begin(), what / 4 % static_cast<int>(ends.open.size()));
    if (what % 4 < 2) ends.arrive(at->first, at->second);
    if (what % 4 == 1) ends.acknowledge(at->first, at->second);
    if (what % 4 == 2) ends.acknowledge(at->first, at->second);
    if (what % 4 == 3) {
      ends.give_up(at->first);
      if (what >= 0x70) ends.forget();
    }
  }
  return 0;
}
