// SPDX-License-Identifier: Apache-2.0
//
// Emergencies leave although the store does not take them, or takes its time (DESIGN.md §6).
//
// Pure, on the loop thread: its owner calls step() at next_wake(). It stands beside an Ingest. Each emergency
// of a group that is being stored gets a message number that was set aside; when the store refuses the group,
// or is not done after kPatience, it is sent from memory under that number, and stored under the same one when
// the broker, to which nothing was acknowledged, delivers it again. While there is trouble it also has the
// broker listened to: behind what waits for its acknowledgement the source would not hear the next emergency.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "bridge/recent_table.hpp"
#include "queue/message.hpp"

namespace tulpar {

class Lifeline {
 public:
  // A commit of a healthy card takes 5 to 50 ms. When one takes longer, listening begins at once, as what is
  // published before is heard by nobody; one that is not done after kPatience is not waited for.
  static constexpr Millis kSuspicion{100}, kPatience{500};
  // Listening goes on for so long after the last trouble, or suspicion.
  static constexpr Millis kListening = std::chrono::minutes(10), kSuspicious = std::chrono::minutes(1);
  // What a broker that was refused delivers again is recognised for so long after it was last delivered. After
  // it the same words are a new emergency.
  static constexpr Millis kRemembered = std::chrono::minutes(20);
  // What comes at QoS 0 is delivered once to the source and once to who listens beside it, in any order, the
  // later within this. So is what was stored.
  static constexpr Millis kEcho = std::chrono::seconds(10);
  // Held in all, and of one packet.
  static constexpr std::size_t kMost = 256, kMostCopies = 8;

  struct Hooks {
    std::function<std::optional<std::uint64_t>()> number;  // one that is set aside; nothing: all are used
    std::function<void(const queue::NewMessage&)> send;    // now, from memory
    std::function<void(std::uint64_t)> give_up;            // nothing will be stored under it
    std::function<void(bool on)> listen;                   // to what is published now, see overheard()
  };
  explicit Lifeline(Hooks hooks) : hooks_(std::move(hooks)) {}

  // `fingerprint` is of topic and payload, as the bridge gives it; `again`: the broker delivers it until it is
  // acknowledged (QoS 1). Of the copies that several mesh gateways publish of one packet
  // (queue::NewMessage::packet) one is sent; they share a number.
  // What was made of it when it came before and was not stored; without payload.
  std::optional<queue::NewMessage> recall(std::uint64_t fingerprint, bool again, BootTime now);
  // It belongs to the group that is about to be stored; an emergency gets its number.
  void admit(std::uint64_t fingerprint, bool again, queue::NewMessage& message, BootTime now);
  // The group is with the store.
  void begin(BootTime now);
  // It is on disk. `kept`: whether a message of it was; false for one that turned out to be a copy.
  void stored(std::uint64_t fingerprint, bool kept, BootTime now);
  void committed();
  // It is not on disk and will be delivered again.
  void refused(BootTime now);
  // Heard while listening. False: it is not known here, and is to be judged and given to the next.
  bool overheard(std::uint64_t fingerprint, BootTime now);
  void overheard(std::uint64_t fingerprint, queue::NewMessage message, BootTime now);

  void step(BootTime now);
  std::optional<BootTime> next_wake() const;

 private:
  struct Held {
    queue::NewMessage message;  // without payload once it was sent
    BootTime seen{};            // last delivered
    bool sent = false;
    bool stored = false;  // a copy of it, under its number
    bool heard = false;   // beside the source
  };
  using AllHeld = std::map<std::uint64_t, Held>;
  static bool concerns(const queue::NewMessage& message);
  bool is_copy_of_stored(const queue::NewMessage& message) const;
  bool has_enough_copies(const queue::NewMessage& message) const;
  Held* known(std::uint64_t fingerprint, bool again, BootTime now);
  // Nothing: no number is left.
  AllHeld::iterator hold(std::uint64_t fingerprint, queue::NewMessage message, BootTime now);
  bool has_copy(const Held& one) const;
  void send(Held& held);
  void send_group(BootTime now);
  void listen(BootTime until);
  AllHeld::iterator forget(AllHeld::iterator held);
  void forget_old(BootTime now);

  Hooks hooks_;
  AllHeld held_;                                           // by fingerprint
  std::set<std::uint64_t> group_;                          // of these, in the group that is being stored
  bridge::RecentTable<std::uint64_t, bool> packets_{256};  // that were stored
  std::map<std::uint64_t, BootTime> echoes_;               // due: fingerprints that were stored, and when
  std::optional<BootTime> suspect_at_, late_at_;           // of that group
  std::optional<BootTime> listen_until_;
};

}  // namespace tulpar
