// SPDX-License-Identifier: Apache-2.0
//
// A peer as the assembled programs see it: its queue, its two directions, the session over whatever transport
// is up, and the bytes it costs. Joins the link's pure core with the store's threads and a transport.
//
// On the loop thread. Loaded once (load()), lives as long as the peer is known; transports are attached and go.
// It owns no timer: its owner calls step() at next_wake() and after `wake` was called.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include "gateway/link/durable_writes.hpp"
#include "gateway/link/link_books.hpp"
#include "gateway/link/session.hpp"
#include "gateway/link/status.hpp"
#include "gateway/link/transport/transport.hpp"
#include "gateway/link/unstored.hpp"
#include "queue/at_hand.hpp"
#include "queue/store_runner.hpp"

namespace tulpar::link {

struct PeerHooks {
  // What a message from the link is, here: node, kind, sinks. The class and the numbers are filled in.
  std::function<queue::NewMessage(LinkMessage)> classify;
  // Messages from the link are on disk.
  std::function<void(const std::vector<queue::Accepted>&)> arrived;
  // Emergencies from the link that the store does not take, or has not taken after 500 ms; `arrived` follows if
  // it does, else the peer keeps them and sends them again. Or none.
  std::function<void(const std::vector<queue::NewMessage>&)> unstored{};
  // Messages of the outgoing direction ended: delivered to the peer, or otherwise.
  std::function<void()> settled;
  // The transport is gone, and why. The peer may be reached again when may_connect() says so.
  std::function<void(const std::string& why)> disconnected;
  // Something changed that step() or next_wake() should look at.
  std::function<void()> wake;
};

struct PeerOptions {
  std::string name;  // of the peer; at the gateway: "relay"
  std::string link;  // the link's name, for the ledger
  std::vector<config::MessageClass> classes;
  bool initiator = false;
};

class LinkPeer : private OutgoingHost, private IncomingHost {
 public:
  // Loads what the store knows of it. `runner`, `codec` and `clock` must outlive the peer.
  using Loaded = std::function<void(Result<std::unique_ptr<LinkPeer>>)>;
  static void load(queue::StoreRunner& runner, BatchCodec& codec, const Clock& clock, PeerOptions options,
                   PeerHooks hooks, Loaded done);
  ~LinkPeer() override;

  queue::PeerId id() const { return peer_; }
  const std::string& name() const { return options_.name; }

  // A message was accepted for this peer.
  void add(const queue::Entry& entry);
  // The same of what was just accepted and is to wait here: an emergency is not read from the disk again.
  void add(const queue::Accepted& accepted);
  // For an emergency that may have to leave before it is stored: its number, to be set in the NewMessage that
  // is sent, stored, or both, in any order. Nothing: none is left in this life.
  std::optional<std::uint64_t> number_aside();
  // It is sent from memory. REQUIRES: message.number is such a number, and was not added before.
  void add_unstored(const queue::NewMessage& message);
  // Nothing will be stored under that number. What was begun to be sent goes on; else it is not sent.
  void give_up_aside(std::uint64_t number);
  // Emergencies that the other side does not have yet, as far as is known.
  std::size_t emergencies() const {
    return scheduler_.state(queue::kEmergency).queued + outgoing_.in_flight_messages(queue::kEmergency) +
           static_cast<std::size_t>(std::count_if(unread_.begin(), unread_.end(), queue::is_emergency));
  }
  // Emergencies that were sent, or are to be, and no disk has.
  std::size_t unstored() const { return unstored_.size(); }
  // The operator drops one; false if it is not waiting here (unknown, or already under way).
  bool drop(queue::MessageId id);
  bool reclassify(queue::MessageId id, queue::ClassId cls);
  // Drops the least urgent, oldest first, until `bytes` are freed.
  void evict(std::uint64_t bytes);
  queue::Scheduler& scheduler() { return scheduler_; }
  const Outgoing& outgoing() const { return outgoing_; }

  // Our own plan withholds the class; one that the peer holds stays withheld, too. Emergency cannot be.
  void close(queue::ClassId cls, bool closed);
  // Classes that the peer is not to send for now (our plan pays for both directions); emergency is never among
  // them.
  void hold(std::vector<std::string> classes);

  // A transport is up. Of two, the one that was opened first is closed: the handshake of a gateway that was
  // killed may come to its end long after that of its next life.
  void attach(std::shared_ptr<Transport> transport);
  // Says bye and closes.
  void detach(ByeReason reason);
  bool connected() const { return transport_ != nullptr; }
  // The last session was ended by the other side, and not because it stops, or cannot store, for a while.
  bool was_refused() const { return refused_; }
  // False while a new incarnation is being written.
  bool may_connect() const { return !renewing_; }
  // What an attempt cost that came to nothing.
  void book_failed_attempt(const WireCount& wire) { books_.add_failed_attempt(wire); }

  void step();
  std::optional<BootTime> next_wake() const;
  LinkStatus status() const;

 private:
  struct State;
  struct StoringEmergencies {
    std::vector<queue::NewMessage> messages;
    std::optional<BootTime> due;  // to be told by then; nothing: they were
  };
  static void load_rest(std::shared_ptr<std::unique_ptr<LinkPeer>> peer, queue::MessageId after, Loaded done);
  LinkPeer(queue::StoreRunner& runner, BatchCodec& codec, const Clock& clock, PeerOptions options,
           PeerHooks hooks, State state);

  // OutgoingHost
  void load(const std::vector<queue::Entry>& entries) override;
  bool at_hand(const queue::Entry& entry) const override;
  void drop(const std::vector<queue::Entry>& entries, queue::DropReason why) override;
  void reserve(std::uint64_t count) override;
  void begin(std::uint64_t batch, std::vector<queue::MessageId> ids) override;
  void settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) override;
  void given_back(const std::vector<queue::Entry>& entries) override;
  void clear_history(std::uint64_t from) override;
  void raise_floor(std::uint64_t floor) override;
  // IncomingHost
  void store(ArrivedBatch batch) override;
  void void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) override;
  void reset(std::uint64_t incarnation, std::uint64_t floor) override;

  void adopt(const queue::Entry& stored);
  queue::MessageId row_of(const queue::Entry& entry) const;
  void load_each(const std::vector<queue::Entry>& entries);
  void set_aside(std::span<const queue::Entry> entries, std::span<const queue::MessageId> unread,
                 const std::string& why);
  void on_load_failed(const std::string& why);
  std::vector<queue::Body> bodies_at_hand(const std::vector<queue::Entry>& entries) const;
  void send_from_memory(BootTime now);
  void tell_late_emergencies(BootTime now);
  void tell(StoringEmergencies& storing);
  void on_frame(ByteView frame);
  void on_closed(const std::string& why);
  void on_greeted();
  void obey_holds();
  void pump();
  void renew();
  void tend_queue(BootTime now);
  void finish(const std::vector<queue::Entry>& entries, queue::State state, queue::DropReason why);
  void book(bool force);
  // Answers of the store may come after this peer is gone.
  template <class F>
  auto guarded(F f) const {
    return [f = std::move(f), weak = std::weak_ptr<int>(alive_)](auto&&... args) mutable {
      if (!weak.expired()) f(std::forward<decltype(args)>(args)...);
    };
  }

  queue::StoreRunner* runner_;
  const Clock* clock_;
  PeerOptions options_;
  PeerHooks hooks_;
  queue::PeerId peer_;
  std::int64_t link_;
  queue::Scheduler scheduler_;
  std::vector<bool> closed_;  // by ClassId, by our own plan
  Outgoing outgoing_;
  Incoming incoming_;
  Session session_;
  std::shared_ptr<Transport> transport_;

  LinkBooks books_;
  DurableWrites writes_;
  Unstored unstored_;
  queue::AtHand<queue::Body> at_hand_;
  BootTime load_after_{};             // the disk could not be read
  std::vector<queue::Entry> unread_;  // nor could these, each alone: the others go on without them
  BootTime unread_again_{};           // meaningful while there are some
  std::map<std::uint64_t, StoringEmergencies> storing_emergencies_;  // in batches that are being stored
  std::optional<BootTime> up_since_, last_contact_;
  std::string note_;
  bool paced_ = false;  // the transport took nothing when last asked
  bool block_asked_ = false;
  bool renewing_ = false, greeted_ = false, refused_ = false, pumping_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar::link
