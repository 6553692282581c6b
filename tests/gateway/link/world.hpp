// SPDX-License-Identifier: Apache-2.0
//
// Two peers and a link between them that can break anywhere, with what must hold at each frame: for
// two_party_test.cpp.
//
// Everything happens in the steps that the test takes; a frame travels until deliver() hands it over.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "tests/gateway/link/side.hpp"

namespace tulpar::link {

class World {
 public:
  World();
  Side& side(int index) { return *sides_[index]; }
  bool linked() const { return linked_; }
  void connect();
  // What is under way is lost; each side hears of it when notice() tells it.
  void break_link();
  bool notice(int index);
  // Gives the transport one frame of that side; checks what is in it.
  bool send(int index, std::size_t limit);
  bool deliver(int from);
  void crash(int index);
  // Keeps a copy of the file of a stopped side, or brings it back. The side is running afterwards.
  void backup(int index);
  void restore(int index);
  // One of everything that can be done without a fault.
  void settle_down(int rounds);
  bool done() const;
  std::string words() const;  // of what it is doing, for a failure
  // Throws std::runtime_error with what does not hold.
  void check_books();
  // Whatever was accepted is finished, and what counts as delivered is there, but for what is gone with a file
  // that was replaced by its copy; without such, once.
  void check_end(bool exactly_once);

  queue::FakeClock clock;
  std::uint64_t lost = 0, refused = 0, byes = 0, frames = 0;
  bool check_contents = true;  // off once a file was brought back: then a number may be used twice

 private:
  void inspect(int index, ByteView frame);
  void inspect_fragment(int index, const Fragment& fragment);
  void require(bool holds, const std::string& what) const;

  queue::TempDir dir_;
  std::unique_ptr<Side> sides_[2];
  std::deque<Bytes> wire_[2];  // by sender
  bool linked_ = false, noticed_[2] = {true, true};
  std::uint64_t sessions_ = 0;
  std::string why_;             // the last session ended
  std::set<std::string> gone_;  // delivered, and not in the copy that was brought back
  // What each batch number of a side was seen to hold; bytes not seen yet are -1.
  std::map<std::tuple<int, std::uint64_t, std::uint64_t>, std::vector<int>> contents_;
};

}  // namespace tulpar::link
