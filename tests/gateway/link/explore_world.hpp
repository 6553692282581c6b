// SPDX-License-Identifier: Apache-2.0
//
// Two sides and what is between them, for explore.hpp: which steps are possible, what each does, and what must
// hold after it.
//
// On `tls` frames arrive in order, and what is under way is lost when the link breaks; as datagrams they may
// also be lost, come twice or overtake each other. A broken rule throws std::runtime_error that says which.
#pragma once

#include <set>

#include "tests/gateway/link/explore_party.hpp"

namespace tulpar::link::explore {

enum class Act : std::uint8_t {
  // What a world without faults does. Of them all the first that changes something is the next (drain).
  kStore,
  kRetry,
  kRead,
  kDeliver,
  kAccept,
  kConnect,
  kSend,
  kSendLate,  // after the receiver's patience with its own disk
  kGiveUp,    // the transport, after minutes of silence
  // Faults.
  kRefuse,
  kReadFails,
  kBreak,
  kCrash,
  kLose,
  kRepeat,
  kOvertake,
  kDrop,
  kBackUp,
  kRestore,
};
inline constexpr Act kFirstFault = Act::kRefuse;

struct Step {
  Act act = Act::kStore;
  std::uint8_t side = 0;   // who acts; of a frame: who sent it
  std::uint8_t frame = 0;  // which of those under way; of a crash: how many writes came to the disk before it
  bool operator==(const Step&) const = default;
};

struct Scenario {
  std::string name;
  std::vector<Mail> gateway, relay;  // what each accepts
  std::size_t early = 0;             // so many of each are accepted before it begins
  bool aged = false;        // it begins in a second life, with copies of the disks from the end of the first
  int restored = 0;         // whose disk may be copied and brought back
  std::vector<Step> first;  // what happens before it is explored
  std::size_t batch = 512, frame = kLeastFrame;
  std::vector<Act> faults;  // that may happen ...
  int most = 2;             // ... so many in one run
  Flaw flaw = Flaw::kNone;  // of both sides
  bool has(Act fault) const { return std::find(faults.begin(), faults.end(), fault) != faults.end(); }
};

class World {
 public:
  explicit World(const Scenario& scenario);
  // Those that may change something; faults while some are left.
  std::vector<Step> steps() const;
  void take(Step step);
  // Takes the step that a world without faults takes next, and says which; nothing: it is at rest.
  std::optional<Step> drain();
  // What it is about to do, for a reader. To be called before take().
  std::string words(Step step) const;
  // The frame that was sent last, if the last step sent one.
  std::string sent() const;

  // Everything accepted is finished on its sender's disk, and nothing moves any more.
  bool done() const;
  // REQUIRES: done().
  void check_end() const;

  struct Frame {
    std::shared_ptr<const Bytes> bytes;
    std::uint64_t key = 0;
  };
  using Wire = std::vector<Frame>;
  struct Saved {
    std::shared_ptr<const Party::Saved> parties[2];
    std::uint64_t keys[2] = {};
    Wire wires[2];
    std::set<std::string> gone;
    bool restored = false;
    int left = 0;
  };
  Saved save();
  void load(const Saved& saved);
  // Of the state, without the faults that are left.
  std::uint64_t key();
  int faults_left() const { return left_; }
  const Party& party(int side) const { return *parties_[side]; }

 private:
  bool possible(Step step) const;
  void act(Step step);
  void send(int side, bool late);
  void deliver(int from, std::size_t frame, bool keep);
  void hang_up(int side);
  void break_link();
  void restore(int side);
  void check() const;
  void check_arrivals(int from) const;
  void inspect(int side, ByteView frame) const;
  void inspect_ack(int side, const Ack& ack) const;

  const Scenario* scenario_;
  BatchCodec codec_;
  std::unique_ptr<Party> parties_[2];
  bool changed_[2] = {true, true};  // since it was saved
  std::shared_ptr<const Party::Saved> saved_[2];
  std::uint64_t keys_[2] = {};
  Wire wires_[2];               // by sender
  Bytes sent_;                  // by the last step
  std::set<std::string> gone_;  // delivered, and lost by bringing back a backup of the receiver
  bool restored_ = false;
  int left_ = 0;  // faults
};

}  // namespace tulpar::link::explore
