// SPDX-License-Identifier: Apache-2.0
//
// Both hosts of a peer, in memory: what the two directions ask waits in order until the test has it answered.
//
// What is "on disk" here is what was answered with success; with it the host judges what the peer says and
// asks. Throws std::runtime_error with what does not hold.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>

#include "gateway/link/session.hpp"

namespace tulpar::link {

class MemoryHost final : public OutgoingHost, public IncomingHost {
 public:
  static constexpr std::uint64_t kOwn = 9;  // our incarnation at first

  void serve(Outgoing& outgoing, Incoming& incoming) {
    outgoing_ = &outgoing;
    incoming_ = &incoming;
  }
  // Answers what was asked first; false: nothing waits. `ok`: the disk works.
  bool answer(bool ok, BootTime now);
  void answer_all(BootTime now) {
    while (answer(true, now)) {
    }
  }
  std::size_t waiting() const { return jobs_.size(); }
  // A message for the peer; its body is made when it is loaded.
  queue::Entry accept(queue::ClassId cls, std::uint32_t bytes, BootTime now);
  std::uint64_t own() const { return own_; }
  // What one of our frames says is true.
  void inspect(ByteView frame);
  // The owner of a session does this after a rollback.
  void renew() { outgoing_->on_renewed(++own_); }

  void load(const std::vector<queue::Entry>& entries) override;
  void drop(const std::vector<queue::Entry>& entries, queue::DropReason) override { finish(entries); }
  void reserve(std::uint64_t count) override;
  void begin(std::uint64_t, std::vector<queue::MessageId>) override {}
  void settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) override;
  void given_back(const std::vector<queue::Entry>&) override {}
  void clear_history(std::uint64_t) override {}
  void raise_floor(std::uint64_t) override {}
  void store(ArrivedBatch batch) override;
  void void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) override;
  void reset(std::uint64_t incarnation, std::uint64_t floor) override;

  std::uint64_t incarnation = 0;  // the peer's, on disk
  queue::NumberSet closed;        // likewise
  std::uint64_t stored = 0, voided = 0, accepted = 0, finished = 0;
  std::size_t held = 0, most_held = 0;  // bytes of batches that wait to be stored

 private:
  using Answer = std::function<void(bool ok, BootTime now)>;
  void post(Answer answer) { jobs_.push_back(std::move(answer)); }
  void finish(const std::vector<queue::Entry>& entries);
  void inspect_closed(const Ack& ack) const;
  void inspect_fragment(const Fragment& fragment);
  static void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
  }

  Outgoing* outgoing_ = nullptr;
  Incoming* incoming_ = nullptr;
  std::deque<Answer> jobs_;
  std::uint64_t own_ = kOwn, reserved_ = 1;
  std::set<std::pair<std::uint64_t, std::uint64_t>> stored_;  // incarnation, batch: stored, or asked for
  // What each of our batch numbers was seen to hold; bytes not seen yet are -1.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<int>> contents_;
};

}  // namespace tulpar::link
