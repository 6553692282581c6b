// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/peer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

#include "config/fail_point.hpp"

namespace tulpar::link {
namespace {

// The plain text of a batch: about a second of the link, it halves on average when compressed.
constexpr std::size_t kLeastTarget = 2 * 1024, kMostTarget = 32 * 1024;

std::uint64_t new_session_id() {
  std::random_device device;
  const std::uint32_t id = device();
  return id ? id : 1;
}

OutgoingConfig outgoing_config(const std::vector<config::MessageClass>& classes) {
  OutgoingConfig config;
  for (const auto& cls : classes) {
    config.class_names.push_back(cls.name);
    config.class_in_history.push_back(cls.name != "bulk");
  }
  return config;
}

}  // namespace

struct LinkPeer::State {
  queue::PeerId peer = 0;
  std::int64_t link = 0;
  queue::SendState send;
  queue::ReceiveState receive;
  queue::Store::SessionNote last;
  queue::LinkBytes totals;
};

void LinkPeer::load(queue::StoreRunner& runner, BatchCodec& codec, const Clock& clock, PeerOptions options,
                    PeerHooks hooks, Loaded done) {
  auto load_state = [name = options.name, link = options.link](queue::Store& store) {
    State state;
    state.peer = store.peer(name);
    state.link = store.link(link);
    state.send = store.load_send(state.peer, queue::Store::kPart);
    state.receive = store.load_receive(state.peer);
    state.last = store.session_note(state.link);
    state.totals = store.totals(state.link);
    return state;
  };
  runner.write(load_state, [&runner, &codec, &clock, options = std::move(options), hooks = std::move(hooks),
                            done = std::move(done)](Result<State> state) {
    if (!state) return done(state.error());
    const bool more = state->send.more;
    const queue::MessageId last = more ? state->send.queued.back().id : 0;
    std::unique_ptr<LinkPeer> peer(new LinkPeer(runner, codec, clock, options, hooks, std::move(*state)));
    more ? load_rest(std::make_shared<std::unique_ptr<LinkPeer>>(std::move(peer)), last, done)
         : done(std::move(peer));
  });
}

void LinkPeer::load_rest(std::shared_ptr<std::unique_ptr<LinkPeer>> peer, queue::MessageId after, Loaded done) {
  auto* runner = (*peer)->runner_;
  runner->write([id = (*peer)->peer_,
                 after](queue::Store& store) { return store.queued(id, after, queue::Store::kPart); },
                [peer, done = std::move(done)](Result<std::vector<queue::Entry>> part) {
                  if (!part) return done(part.error());
                  const bool more = part->size() == queue::Store::kPart;
                  (*peer)->outgoing_.load(*part, more);
                  more ? load_rest(peer, part->back().id, done) : done(std::move(*peer));
                });
}

LinkPeer::LinkPeer(queue::StoreRunner& runner, BatchCodec& codec, const Clock& clock, PeerOptions options,
                   PeerHooks hooks, State state)
    : runner_(&runner),
      clock_(&clock),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      peer_(state.peer),
      link_(state.link),
      scheduler_(options_.classes),
      closed_(options_.classes.size()),
      outgoing_(outgoing_config(options_.classes), scheduler_, codec, *this, std::move(state.send)),
      incoming_(codec, *this, std::move(state.receive)),
      session_(outgoing_, incoming_, options_.initiator),
      books_(state.totals, state.last),
      writes_(runner, clock, options_.name, [this] { hooks_.wake(); }) {}

LinkPeer::~LinkPeer() {
  if (transport_) transport_->set_events({});
}

// ---- the queue

void LinkPeer::add(const queue::Entry& entry) {
  outgoing_.on_accepted(entry.number);
  unstored_.contains(entry.number) ? adopt(entry) : scheduler_.add(entry);
  hooks_.wake();
}

void LinkPeer::add(const queue::Accepted& accepted) {
  if (const auto& message = accepted.emergency)
    at_hand_.add(accepted.entry, {accepted.entry.id, message->topic, message->payload});
  add(accepted.entry);
}

bool LinkPeer::drop(queue::MessageId id) {
  const auto entry = scheduler_.remove(id);
  if (entry) finish({*entry}, queue::State::kDropped, queue::DropReason::kOperator);
  return entry.has_value();
}

bool LinkPeer::reclassify(queue::MessageId id, queue::ClassId cls) {
  if (!scheduler_.reclassify(id, cls)) return false;
  at_hand_.forget(id);
  writes_.add(
      [id, cls](queue::Store& store) {
        store.mark_queued(std::span(&id, 1));
        store.reclassify(id, cls);
      },
      [this] { hooks_.settled(); });
  hooks_.wake();
  return true;
}

void LinkPeer::evict(std::uint64_t bytes) {
  finish(scheduler_.take_for_eviction(bytes), queue::State::kDropped, queue::DropReason::kStoreFull);
}

void LinkPeer::tend_queue(BootTime now) {
  finish(scheduler_.take_expired(now), queue::State::kExpired, queue::DropReason::kNone);
  finish(scheduler_.take_conflated(), queue::State::kConflated, queue::DropReason::kNone);
}

// ---- the session

void LinkPeer::attach(std::shared_ptr<Transport> transport) {
  if (transport_ && transport->opened() < transport_->opened()) {
    spdlog::info("{}: a connection from {} was older than the one that is up", options_.name,
                 transport->peer_address());
    transport->close("older than the one that is up");
    books_.add_failed_attempt(transport->wire());
    return;
  }
  if (transport_) {
    auto old = std::exchange(transport_, nullptr);
    // Sending may show that it is dead, which is no event any more.
    old->set_events({});
    // Maybe another box has the same enrolment: it has to know why it is sent away, lest it comes back at once.
    session_.say_bye(ByeReason::kReplaced);
    if (auto bye = session_.next_frame(clock_->now(), old->frame_limit()); !bye.empty())
      old->send(std::move(bye), clock_->now());
    books_.count(old->wire());
    book(true);
    session_.disconnected();
    books_.end();
    old->close("replaced by a newer session");
  }
  transport_ = std::move(transport);
  transport_->set_events({.writable = [this] { hooks_.wake(); },
                          .received = [this](ByteView frame) { on_frame(frame); },
                          .closed = [this](const std::string& why) { on_closed(why); }});
  const BootTime now = clock_->now();
  greeted_ = refused_ = false;
  up_since_ = now;
  note_.clear();
  const std::uint64_t session = new_session_id();
  const auto& last = books_.last();
  session_.connected(
      now, session, {last.session, static_cast<std::uint64_t>(last.down), static_cast<std::uint64_t>(last.up)});
  books_.begin(session, options_.initiator);
  pump();
  hooks_.wake();
}

void LinkPeer::hold(std::vector<std::string> classes) {
  session_.hold(std::move(classes));
  hooks_.wake();
}

void LinkPeer::obey_holds() {
  const auto& held = session_.peer_holds();
  for (std::size_t i = 0; i < options_.classes.size(); ++i) {
    const bool closed = std::find(held.begin(), held.end(), options_.classes[i].name) != held.end();
    scheduler_.close(static_cast<queue::ClassId>(i), closed || closed_[i]);
  }
}

void LinkPeer::close(queue::ClassId cls, bool closed) {
  closed_.at(cls) = closed;
  obey_holds();
}

void LinkPeer::detach(ByeReason reason) {
  if (!transport_) return;
  session_.say_bye(reason);
  pump();
}

void LinkPeer::on_frame(ByteView frame) {
  last_contact_ = clock_->now();
  books_.received(frame.size());
  if (auto done = session_.on_frame(frame, *last_contact_); !done)
    spdlog::warn("{}: the session ends: {}", options_.name, done.error().message);
  if (session_.peer() && !greeted_) on_greeted();
  obey_holds();
  if (auto bye = session_.peer_bye()) {
    refused_ = *bye != ByeReason::kShuttingDown && *bye != ByeReason::kStoreRefuses;
    note_ = fmt::format("the other side said: {}", to_string(*bye));
    transport_->close(note_);
  } else if (incoming_.refused()) {
    session_.say_bye(ByeReason::kStoreRefuses);
  }
  pump();
  hooks_.wake();
}

void LinkPeer::on_greeted() {
  greeted_ = true;
  books_.rename(session_.id());
  // What fits between two bookings, twice over, and the handshakes.
  books_.recover(*session_.peer(), static_cast<std::int64_t>(transport_->rate_bps() / 8 * 20 + 4096));
}

void LinkPeer::on_closed(const std::string& why) {
  book(true);
  transport_.reset();
  session_.disconnected();
  books_.end();
  up_since_.reset();
  if (note_.empty()) note_ = why;
  if (session_.must_renew()) renew();
  hooks_.disconnected(note_);
  hooks_.wake();
}

void LinkPeer::renew() {
  TULPAR_FAIL_POINT("link.renew");
  renewing_ = true;
  session_.renewed();
  spdlog::warn(
      "{}: one side's state is older than what it said before (restored or cloned); taking a new incarnation",
      options_.name);
  auto incarnation = std::make_shared<std::uint64_t>();
  writes_.add(
      [peer = peer_, incarnation](queue::Store& store) { *incarnation = store.renew_incarnation(peer); },
      [this, incarnation] {
        TULPAR_FAIL_POINT("link.renewed");
        outgoing_.on_renewed(*incarnation);
        renewing_ = false;
        hooks_.wake();
      });
}

void LinkPeer::pump() {
  if (!transport_ || pumping_) return;
  pumping_ = true;
  const BootTime now = clock_->now();
  if (const auto rtt = transport_->round_trip()) session_.set_round_trip(*rtt);
  const std::size_t second = transport_->rate_bps() / 8;
  outgoing_.set_target(std::clamp(second * 2, kLeastTarget, kMostTarget),
                       std::clamp(second * 2 / 5, std::size_t{512}, kMostTarget));
  while (transport_) {
    const bool exempt = session_.greeting_due() || session_.bye();
    paced_ = !exempt && !transport_->can_send(now);
    if (paced_) break;
    if (!exempt && (now < load_after_ || outgoing_.loading())) send_from_memory(now);
    if (!exempt && now >= load_after_) outgoing_.prepare(now);
    Bytes frame = session_.next_frame(now, transport_->frame_limit());
    if (frame.empty()) {
      transport_->idle();
      break;
    }
    transport_->send(std::move(frame), now);
    if (session_.bye() && transport_) {
      note_ = to_string(*session_.bye());
      transport_->close(note_);
      break;
    }
  }
  pumping_ = false;
}

void LinkPeer::book(bool force) {
  if (transport_) books_.count(transport_->wire());
  if (writes_.stuck()) return;
  if (auto booking = books_.take(clock_->now(), force))
    writes_.add(
        [link = link_, bytes = booking->bytes, note = booking->session](queue::Store& store) {
          store.book(link, bytes);
          store.note_session(link, note.session, note.up, note.down);
        },
        [] {});
}

void LinkPeer::step() {
  const BootTime now = clock_->now();
  writes_.step(now);
  tell_late_emergencies(now);
  if (now >= unread_again_)
    for (const auto& entry : std::exchange(unread_, {})) scheduler_.give_back(entry);
  tend_queue(now);
  pump();
  if (transport_ && (session_.overdue(now) || transport_->stalled(now))) {
    note_ = "no answer from the other side";
    transport_->abort(note_);
  }
  book(false);
}

std::optional<BootTime> LinkPeer::next_wake() const {
  const BootTime now = clock_->now();
  std::optional<BootTime> wake = scheduler_.next_wake(now);
  const auto consider = [&](std::optional<BootTime> at) {
    if (at && (!wake || *at < *wake)) wake = at;
  };
  consider(writes_.next_wake());
  if (!unread_.empty()) consider(unread_again_);
  for (const auto& [batch, late] : storing_emergencies_)
    if (late.due) consider(late.due);
  if (transport_) {
    consider(session_.next_wake());
    if (session_.wants_to_send(now))
      consider(transport_->next_wake(now));
    else if (outgoing_.wants_batch(now))
      consider(now < load_after_ ? load_after_ : transport_->next_wake(now));
    // For what is in memory while the disk is waited for.
    if (paced_ && (now < load_after_ || outgoing_.loading())) consider(transport_->next_wake(now));
    if (outgoing_.waiting_since() && !writes_.stuck()) consider(books_.next());
  } else if (wake && *wake <= now && scheduler_.ready(now)) {
    // Work that waits for a transport: the owner is told when there is one.
    wake = now + LinkBooks::kEvery;
  }
  return wake;
}

LinkStatus LinkPeer::status() const {
  LinkStatus status;
  status.name = options_.link;
  status.peer = options_.name;
  status.state = transport_ ? "up" : "down";
  status.note = note_;
  status.bytes = books_.totals(transport_ ? std::optional(transport_->wire()) : std::nullopt);
  status.inflight_bytes = outgoing_.in_flight_bytes();
  status.up_since = up_since_;
  status.last_contact = last_contact_;
  if (!transport_) return status;
  status.rate_bps = transport_->rate_bps();
  status.round_trip = transport_->round_trip();
  if (!session_.peer()) status.state = "connecting";
  return status;
}

}  // namespace tulpar::link
