// SPDX-License-Identifier: Apache-2.0
//
// A store in memory, for explore.hpp: what one side of the link has on disk, and the writes that change it, as
// data, so that a million of states can be copied, compared and brought back.
//
// Plain values. It does what queue::Store does with the same calls (explore_disk_test.cpp runs both), with the
// deliberate mistakes of Flaw where a test asks for one.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "queue/store.hpp"

namespace tulpar::link::explore {

// What a careless store or program would do.
enum class Flaw {
  kNone,
  kAcknowledgesBeforeCommit,  // the receiver
  kSettlesBeforeCommit,       // the sender announces as settled what its disk does not know yet
  kForgetsSettled,            // what was acknowledged is not written down
  kForgetsMessageNumbers,     // the receiver's disk keeps the batch's number and not the messages'
  kReusesBatchNumbers,        // a start begins where the floor is, not behind the reserved block
  kKeepsVoidedHistory,        // a start voids batches and leaves their texts in the sender's history
  kConfirmsVoidsUnwritten,    // the receiver
};

struct Mail {  // a message of a scenario; its topic is its name
  queue::ClassId cls = 1;
  std::string topic;
  Bytes payload;
};

// The writes that a side asks of its store; that a message is in flight is not among them: nobody on the link
// reads it. The ids of messages are places in `Disk::messages`, from 1.
struct Accept {
  Mail mail;
};
struct Reserve {
  std::uint64_t count = 0;
};
struct Settle {
  queue::SettledBatch batch;
  std::vector<std::uint64_t> numbers;
};
struct Finish {
  std::vector<queue::MessageId> ids;
  std::vector<std::uint64_t> numbers;
};
struct ClearHistory {};
struct RaiseFloor {
  std::uint64_t floor = 0;
};
struct Keep {
  queue::ReceivedBatch batch;
};
struct Close {
  std::uint64_t first = 0, count = 0;
  std::uint32_t life = 0;
};
struct Reset {
  std::uint64_t incarnation = 0, floor = 0;
};
struct Renew {};
using Write =
    std::variant<Accept, Reserve, Settle, Finish, ClearHistory, RaiseFloor, Keep, Close, Reset, Renew>;
std::string words(const Write& write);

struct Disk {
  struct Message {
    std::uint64_t number = 0;
    queue::State state = queue::State::kQueued;
    Mail mail;
  };
  using History = std::map<std::uint64_t, Bytes>;

  // Sending.
  std::uint64_t incarnation = 0, floor = 1, batch_end = 1, number_end = 1;
  std::vector<queue::SenderLife> lives;
  History sent;
  std::vector<Message> messages;
  // Receiving.
  std::uint64_t peer_incarnation = 0;
  std::uint32_t peer_life = 0;
  queue::NumberSet numbers, batches;
  History received;
  std::map<std::string, int> arrived;  // how often each message was stored, by topic

  // One life of the program: its name, message numbers given so far, its first batch number.
  struct Life {
    std::uint32_t name = 0;
    std::uint64_t next_number = 1, began = 1;
  };
  // What a start reads, and the blocks that it reserves. The life's name is the next one.
  queue::SendState load_send(Life& life, Flaw flaw);
  queue::ReceiveState load_receive() const;
  // Commits one write. Accept: the id; Reserve: the end of the block; Renew: the new name.
  std::uint64_t commit(const Write& write, Life& life, Flaw flaw);
  queue::Entry entry(queue::MessageId id) const;
  // The first message number that is not finished here; `none` where all are.
  std::uint64_t least_unfinished(std::uint64_t none) const;

 private:
  std::uint64_t accept(const Mail& mail, Life& life);
  void settle(const queue::SettledBatch& batch, const Life& life, Flaw flaw);
  void raise_floor(std::uint64_t to, const Life& life);
  void finish(const std::vector<queue::MessageId>& ids);
  void keep(const queue::ReceivedBatch& batch, Flaw flaw);
};

}  // namespace tulpar::link::explore
