// SPDX-License-Identifier: Apache-2.0
//
// What a gateway and a relay do with their store, at random: the workloads of the power cut's proof.
//
// A seed gives the same life again. What is chosen for one group is not chosen for another operation of it, as
// the scheduler and the link do it; what the store answered is believed only once it is reported.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/queue/power_cut_record.hpp"

namespace tulpar::queue {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t bound) { return below(bound) == 0; }
  // 20 bytes to 300 kB, mostly small.
  std::size_t size();
  Bytes bytes(std::size_t size);

 private:
  std::mt19937_64 random_;
};

// One direction: messages are accepted for a peer and go to it in batches.
class Sending {
 public:
  Sending(Recorder& recorder, Dice& dice, PeerId peer, std::int64_t link);
  Recorder::Job load();  // the first after a start
  Recorder::Job any();
  Recorder::Job accept(std::size_t messages, std::size_t bytes = 0);  // of any size, if none is given
  Recorder::Job settle(std::size_t messages);                         // of one batch

 private:
  using Job = Recorder::Job;
  Job reserve();
  Job begin();
  Job settle_oldest();
  Job give_up();
  Job finish();
  Job reclassify();
  Job raise_floor();
  Job renew();
  Job note();
  NewMessage message(std::size_t bytes);
  std::vector<MessageId> take(std::size_t count);
  std::uint64_t floor() const { return flying_.empty() ? next_batch_ : flying_.begin()->first; }

  Recorder& recorder_;
  Dice& dice_;
  PeerId peer_;
  std::int64_t link_;
  std::deque<MessageId> queued_;
  std::map<std::uint64_t, std::vector<MessageId>> flying_;
  std::uint64_t next_batch_ = 1, batch_end_ = 1, made_ = 0;
};

// The sinks here, and what they take.
class Sinks {
 public:
  explicit Sinks(Dice& dice) : dice_(dice) {}
  Recorder::Job load(const std::vector<std::string>& names);
  Recorder::Job any();
  std::uint64_t all() const { return *all_; }

 private:
  Dice& dice_;
  std::shared_ptr<std::uint64_t> all_ = std::make_shared<std::uint64_t>(0);  // their bits
};

// The other direction: batches arrive from a peer, their messages go to the sinks here.
class Receiving {
 public:
  Receiving(Recorder& recorder, Dice& dice, const Sinks& sinks, PeerId peer, std::int64_t link);
  Recorder::Job any();

 private:
  using Job = Recorder::Job;
  Job receive();
  Job close();
  Job reset();
  NewMessage message();
  std::uint64_t batch_number();

  Recorder& recorder_;
  Dice& dice_;
  const Sinks& sinks_;
  PeerId peer_;
  std::int64_t link_;
  // The peer's side, which knows no power cut.
  std::uint64_t incarnation_ = 0, next_batch_ = 1, next_message_ = 1, settled_ = 1;
  std::vector<std::uint64_t> open_;  // batch numbers that were left out so far
};

enum class Role { kGateway, kRelay };

// A life of so many groups: starts, ends and all between.
void live(Recorder& recorder, Role role, std::uint64_t seed, int groups);

}  // namespace tulpar::queue
