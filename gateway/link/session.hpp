// SPDX-License-Identifier: Apache-2.0
//
// One peer over whatever transport is up: greetings, frames in and out, deadlines. Joins an Outgoing and an
// Incoming.
//
// Pure, on the loop thread: the owner calls with `now` and wakes it at next_wake(). It lives as long as the
// peer is known; connected()/disconnected() bracket each transport. The transport is told nothing but frames;
// what must happen to it (bye, overdue) is asked for after each call.
#pragma once

#include <optional>

#include "gateway/link/incoming.hpp"
#include "gateway/link/outgoing.hpp"

namespace tulpar::link {

// Frames are never asked smaller than this, however slow the link: an acknowledgement must fit. Bytes.
inline constexpr std::size_t kLeastFrame = 256;

// What this side counted of the session before (IP level, bytes), for the greeting.
struct SessionCount {
  std::uint64_t session = 0, received = 0, sent = 0;
};

class Session {
 public:
  // `initiator`: the gateway, which names the session. The references outlive the session object.
  Session(Outgoing& outgoing, Incoming& incoming, bool initiator);

  // A transport is up; `session_id` (below 2^32, not 0) is used by the initiator. The greeting is the next
  // frame.
  void connected(BootTime now, std::uint64_t session_id, const SessionCount& last);
  void disconnected();
  bool up() const { return up_; }
  // What the peer said of itself in this session.
  const std::optional<Greeting>& peer() const { return peer_; }
  std::uint64_t id() const { return id_; }

  // Error: why the session must end; a bye is then the next frame.
  Result<void> on_frame(ByteView frame, BootTime now);
  // The next frame of at most max(limit, kLeastFrame) bytes; empty: nothing to send now. Call again until
  // empty.
  Bytes next_frame(BootTime now, std::size_t limit);
  bool wants_to_send(BootTime now) const;
  // The next frame is the greeting.
  bool greeting_due() const { return greeting_.has_value(); }
  // The next frame is a bye, and the last.
  void say_bye(ByeReason reason);
  std::optional<ByeReason> bye() const { return bye_; }
  std::optional<ByeReason> peer_bye() const { return peer_bye_; }
  // The classes that the peer is not to send now; told it when they change, and in each session.
  void hold(std::vector<std::string> classes);
  // What the peer said likewise, in its greeting or since.
  const std::vector<std::string>& peer_holds() const { return peer_holds_; }
  // One of the two was rolled back: our direction needs a new incarnation before the next session.
  bool must_renew() const { return must_renew_; }
  void renewed() { must_renew_ = false; }

  // True if the peer has not answered for so long that the transport must be given up: nothing was heard since
  // a batch or the greeting left completely, for max(8 s, 4 × round trip).
  bool overdue(BootTime now) const;
  std::optional<BootTime> next_wake() const;
  void set_round_trip(Millis rtt);
  std::optional<BootTime> last_heard() const { return last_heard_; }

 private:
  Result<void> on_item(const Item& item, BootTime now);
  Result<void> on_greeting(const Greeting& greeting, BootTime now);
  Result<void> end_with(ByeReason reason, std::string why);
  std::optional<BootTime> deadline() const;

  Outgoing* outgoing_;
  Incoming* incoming_;
  bool initiator_;
  bool up_ = false, must_renew_ = false;
  std::uint64_t id_ = 0;
  std::uint64_t greeted_as_ = 0;      // our incarnation in this session's greeting
  std::optional<Greeting> greeting_;  // not sent yet
  std::optional<Greeting> peer_;
  std::optional<ByeReason> bye_, peer_bye_;
  std::vector<std::string> holds_, peer_holds_;
  bool hold_due_ = false;
  std::optional<BootTime> last_heard_;
  BootTime connected_at_{};
  Millis rtt_{1000};
};

}  // namespace tulpar::link
