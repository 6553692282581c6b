// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/explore_reach.hpp"

#include <algorithm>
#include <cstring>

namespace tulpar::link::explore {

// An explicit instantiation may name private members ([temp.spec.general]); the friend that it defines hands
// the pointer out. So the product needs no friend for a test.
template <class Tag, auto Member>
struct Grant {
  friend constexpr auto reach(Tag) { return Member; }
};

#define TULPAR_REACH(name, member)     \
  struct name {                        \
    friend constexpr auto reach(name); \
  };                                   \
  template struct Grant<name, &member>

TULPAR_REACH(Classes, queue::Scheduler::classes_);
TULPAR_REACH(ClassEntries, queue::ClassQueue::queue_);

TULPAR_REACH(OutOpen, Outgoing::open_);
TULPAR_REACH(OutNumbers, Outgoing::numbers_);
TULPAR_REACH(OutMessages, Outgoing::messages_);
TULPAR_REACH(OutIncarnation, Outgoing::incarnation_);
TULPAR_REACH(OutLives, Outgoing::lives_);
TULPAR_REACH(OutAlone, Outgoing::alone_);
TULPAR_REACH(OutHistory, Outgoing::history_);
TULPAR_REACH(OutHistoryFrom, Outgoing::history_from_);
TULPAR_REACH(OutGreeted, Outgoing::greeted_);
TULPAR_REACH(OutLoading, Outgoing::loading_);

TULPAR_REACH(MessagesNext, MessageNumbers::next_);
TULPAR_REACH(MessagesAcceptedEnd, MessageNumbers::accepted_end_);
TULPAR_REACH(MessagesFinished, MessageNumbers::finished_);

TULPAR_REACH(NumbersClosed, BatchNumbers::closed_);
TULPAR_REACH(NumbersVoids, BatchNumbers::voids_);
TULPAR_REACH(NumbersUntold, BatchNumbers::untold_);
TULPAR_REACH(NumbersVoidEnd, BatchNumbers::void_end_);
TULPAR_REACH(NumbersToldNext, BatchNumbers::told_next_);
TULPAR_REACH(NumbersNext, BatchNumbers::next_);
TULPAR_REACH(NumbersReserved, BatchNumbers::reserved_);
TULPAR_REACH(NumbersReserving, BatchNumbers::reserving_);

TULPAR_REACH(InIncarnation, Incoming::incarnation_);
TULPAR_REACH(InLife, Incoming::life_);
TULPAR_REACH(InClosed, Incoming::closed_);
TULPAR_REACH(InStoring, Incoming::storing_);
TULPAR_REACH(InVoiding, Incoming::voiding_);
TULPAR_REACH(InUnfinished, Incoming::unfinished_);
TULPAR_REACH(InHistory, Incoming::history_);
TULPAR_REACH(InLost, Incoming::lost_);
TULPAR_REACH(InRefused, Incoming::refused_batches_);
TULPAR_REACH(InNumbersEnd, Incoming::numbers_end_);
TULPAR_REACH(InBound, Incoming::bound_);
TULPAR_REACH(InAckDue, Incoming::ack_due_);
TULPAR_REACH(InResets, Incoming::resets_);
TULPAR_REACH(InRefuses, Incoming::refused_);

TULPAR_REACH(SessionUp, Session::up_);
TULPAR_REACH(SessionRenew, Session::must_renew_);
TULPAR_REACH(SessionGreetedAs, Session::greeted_as_);
TULPAR_REACH(SessionGreeting, Session::greeting_);
TULPAR_REACH(SessionBye, Session::bye_);
TULPAR_REACH(SessionPeerBye, Session::peer_bye_);

TULPAR_REACH(HistoryParts, History::parts_);
#undef TULPAR_REACH

namespace {

template <class Tag, class Object>
const auto& of(const Object& object) {
  return object.*reach(Tag{});
}

template <class Numbers>
void add_all(Key& key, const Numbers& numbers) {
  key.add(numbers.size());
  for (const auto number : numbers) key.add(static_cast<std::uint64_t>(number));
}

void add(Key& key, const History& history) {
  const auto& parts = of<HistoryParts>(history);
  key.add(parts.size());
  for (const auto& [batch, part] : parts) {
    key.add(batch);
    key.add(part.plain);
  }
}

void add(Key& key, const BatchNumbers& numbers) {
  add(key, of<NumbersClosed>(numbers));
  add_all(key, of<NumbersVoids>(numbers));
  add_all(key, of<NumbersUntold>(numbers));
  key.add(of<NumbersVoidEnd>(numbers));
  key.add(of<NumbersToldNext>(numbers));
  key.add(of<NumbersNext>(numbers));
  key.add(of<NumbersReserved>(numbers));
  key.add(of<NumbersReserving>(numbers));
}

void add(Key& key, const MessageNumbers& messages) {
  key.add(of<MessagesNext>(messages));
  key.add(of<MessagesAcceptedEnd>(messages));
  add(key, of<MessagesFinished>(messages));
}

}  // namespace

void Key::add(ByteView bytes) {
  add(bytes.size());
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    add(word);
  }
  std::uint64_t last = 0;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&last));
  add(last);
}

void add(Key& key, const queue::NumberSet& set) {
  key.add(set.low());
  key.add(set.runs().size());
  for (const auto& [first, end] : set.runs()) {
    key.add(first);
    key.add(end);
  }
}

std::vector<queue::Entry> queued(const queue::Scheduler& scheduler) {
  std::vector<queue::Entry> entries;
  for (const auto& cls : of<Classes>(scheduler))
    of<ClassEntries>(cls).for_each([&](const queue::Entry& entry) { entries.push_back(entry); });
  return entries;
}

std::vector<queue::Entry> under_way(const Outgoing& outgoing) {
  std::vector<queue::Entry> entries = of<OutLoading>(outgoing);
  for (const auto& [number, batch] : of<OutOpen>(outgoing))
    entries.insert(entries.end(), batch.entries.begin(), batch.entries.end());
  return entries;
}

void add(Key& key, const queue::Scheduler& scheduler) {
  for (const auto& entry : queued(scheduler)) key.add(static_cast<std::uint64_t>(entry.id));
}

void add(Key& key, const Outgoing& outgoing) {
  const auto& open = of<OutOpen>(outgoing);
  key.add(open.size());
  for (const auto& [number, batch] : open) {
    key.add(number);
    key.add(batch.bytes);
    for (const auto& entry : batch.entries) key.add(entry.number);
    key.add(batch.enters_history);
    key.add(batch.sent);
    key.add(batch.frame_bytes > 0);
    key.add(batch.sent_at.has_value());
  }
  add(key, of<OutNumbers>(outgoing));
  add(key, of<OutMessages>(outgoing));
  key.add(of<OutIncarnation>(outgoing));
  for (const auto& life : of<OutLives>(outgoing)) key.add(life.name);
  add_all(key, of<OutAlone>(outgoing));
  add(key, of<OutHistory>(outgoing));
  key.add(of<OutHistoryFrom>(outgoing));
  key.add(of<OutGreeted>(outgoing));
  key.add(of<OutLoading>(outgoing).size());
  for (const auto& entry : of<OutLoading>(outgoing)) key.add(entry.number);
}

void add(Key& key, const Incoming& incoming, BootTime now) {
  key.add(of<InIncarnation>(incoming));
  key.add(of<InLife>(incoming));
  add(key, of<InClosed>(incoming));
  for (const auto& [number, storing] : of<InStoring>(incoming)) {
    key.add(number);
    key.add(storing.size);
    key.add(storing.urgent);
    key.add(storing.enters_history);
    key.add(storing.highest);
    key.add(storing.plain);
  }
  key.add(of<InUnfinished>(incoming).size());
  for (const auto& [number, unfinished] : of<InUnfinished>(incoming)) {
    key.add(number);
    key.add(unfinished.bytes);
    key.add(unfinished.size.value_or(0));
    for (const auto& [first, end] : unfinished.ranges) {
      key.add(first);
      key.add(end);
    }
  }
  add(key, of<InVoiding>(incoming));
  add(key, of<InHistory>(incoming));
  add_all(key, of<InLost>(incoming));
  add_all(key, of<InRefused>(incoming));
  key.add(of<InNumbersEnd>(incoming));
  key.add(of<InBound>(incoming));
  const auto& due = of<InAckDue>(incoming);
  key.add(!due ? 0 : *due <= now ? 1 : 2);
  key.add(static_cast<std::uint64_t>(of<InResets>(incoming)));
  key.add(of<InRefuses>(incoming));
}

void add(Key& key, const Session& session) {
  const auto& greeting = of<SessionGreeting>(session);
  key.add(of<SessionUp>(session));
  key.add(of<SessionRenew>(session));
  key.add(of<SessionGreetedAs>(session));
  key.add(greeting.has_value());
  if (greeting) {
    FrameBuilder frame(kMaxFrame);
    frame.put(*greeting);
    key.add(frame.take());
  }
  key.add(session.peer().has_value());
  key.add(of<SessionBye>(session) ? static_cast<std::uint64_t>(*of<SessionBye>(session)) : 0);
  key.add(of<SessionPeerBye>(session) ? static_cast<std::uint64_t>(*of<SessionPeerBye>(session)) : 0);
}

}  // namespace tulpar::link::explore
