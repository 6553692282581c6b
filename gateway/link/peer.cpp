// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/peer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace tulpar::link {
namespace {

// How often the wire's bytes are on disk at the latest (DESIGN.md §7).
constexpr Millis kBookEvery = std::chrono::seconds(10);
constexpr Millis kRetryAfter = std::chrono::seconds(1);
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

std::vector<queue::MessageId> ids_of(const std::vector<queue::Entry>& entries) {
  std::vector<queue::MessageId> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  return ids;
}

std::vector<std::uint64_t> numbers_of(const std::vector<queue::Entry>& entries) {
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries) numbers.push_back(entry.number);
  return numbers;
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

// Answers of the store may come after this peer is gone.
template <class F>
auto LinkPeer::guarded(F f) const {
  return [f = std::move(f), weak = std::weak_ptr<int>(alive_)](auto&&... args) mutable {
    if (!weak.expired()) f(std::forward<decltype(args)>(args)...);
  };
}

void LinkPeer::load(queue::StoreRunner& runner, BatchCodec& codec, const Clock& clock, PeerOptions options,
                    PeerHooks hooks, Loaded done) {
  auto load_state = [name = options.name, link = options.link](queue::Store& store) {
    State state;
    state.peer = store.peer(name);
    state.link = store.link(link);
    state.send = store.load_send(state.peer);
    state.receive = store.load_receive(state.peer);
    state.last = store.session_note(state.link);
    state.totals = store.totals(state.link);
    return state;
  };
  runner.write(load_state, [&runner, &codec, &clock, options = std::move(options), hooks = std::move(hooks),
                            done = std::move(done)](Result<State> state) {
    if (!state) return done(state.error());
    done(std::unique_ptr<LinkPeer>(new LinkPeer(runner, codec, clock, options, hooks, std::move(*state))));
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
      outgoing_(outgoing_config(options_.classes), scheduler_, codec, *this, std::move(state.send)),
      incoming_(codec, *this, std::move(state.receive)),
      session_(outgoing_, incoming_, options_.initiator),
      totals_(state.totals),
      last_(state.last) {}

LinkPeer::~LinkPeer() {
  if (transport_) transport_->set_events({});
}

void LinkPeer::durable(std::function<void(queue::Store&)> op, std::function<void()> done) {
  runner_->write(op, guarded([this, op, done = std::move(done)](Result<void> result) {
                   if (result) return done();
                   spdlog::error("{}: the store refuses, trying again: {}", options_.name,
                                 result.error().message);
                   retries_.push_back({clock_->now() + kRetryAfter, op, done});
                   hooks_.wake();
                 }));
}

// ---- the queue

void LinkPeer::add(const queue::Entry& entry) {
  scheduler_.add(entry);
  hooks_.wake();
}

void LinkPeer::finish(const std::vector<queue::Entry>& entries, queue::State state, queue::DropReason why) {
  if (entries.empty()) return;
  std::vector<queue::Finished> ends;
  for (const auto& entry : entries) ends.push_back({entry.id, state, why});
  durable(
      [ids = ids_of(entries), ends](queue::Store& store) {
        store.mark_queued(ids);
        store.finish(ends);
      },
      [this, numbers = numbers_of(entries)] {
        outgoing_.on_finished(numbers);
        hooks_.settled();
      });
}

bool LinkPeer::drop(queue::MessageId id) {
  const auto entry = scheduler_.remove(id);
  if (entry) finish({*entry}, queue::State::kDropped, queue::DropReason::kOperator);
  return entry.has_value();
}

bool LinkPeer::reclassify(queue::MessageId id, queue::ClassId cls) {
  if (!scheduler_.reclassify(id, cls)) return false;
  durable([id, cls](queue::Store& store) { store.reclassify(id, cls); }, [this] { hooks_.settled(); });
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

// ---- what the outgoing direction asks

void LinkPeer::load(const std::vector<queue::Entry>& entries) {
  runner_->read([ids = ids_of(entries)](queue::StoreReader& reader) { return reader.bodies(ids); },
                guarded([this](Result<std::vector<queue::Body>> bodies) {
                  if (bodies) {
                    outgoing_.on_loaded(std::move(*bodies), clock_->now());
                  } else {
                    spdlog::error("{}: cannot read messages: {}", options_.name, bodies.error().message);
                    outgoing_.on_load_failed();
                  }
                  pump();
                  hooks_.wake();
                }));
}

void LinkPeer::drop(const std::vector<queue::Entry>& entries, queue::DropReason why) {
  for (const auto& entry : entries)
    spdlog::warn("{}: message {} is dropped: {}", options_.name, entry.id, queue::to_string(why));
  finish(entries, queue::State::kDropped, why);
}

void LinkPeer::reserve(std::uint64_t count) {
  runner_->write([peer = peer_, count](queue::Store& store) { return store.reserve_batches(peer, count); },
                 guarded([this](Result<std::uint64_t> end) {
                   end ? outgoing_.on_reserved(*end) : outgoing_.on_reserve_failed();
                   hooks_.wake();
                 }));
}

void LinkPeer::begin(std::uint64_t batch, std::vector<queue::MessageId> ids) {
  runner_->post([batch, ids = std::move(ids)](queue::Store& store) { store.mark_in_flight(ids, batch); });
}

void LinkPeer::given_back(const std::vector<queue::Entry>& entries) {
  runner_->post([ids = ids_of(entries)](queue::Store& store) { store.mark_queued(ids); });
}

void LinkPeer::settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) {
  book(true);
  durable([peer = peer_, link = link_,
           batch = std::move(batch)](queue::Store& store) { store.settle(peer, link, batch); },
          [this, numbers = std::move(numbers)] {
            outgoing_.on_settled(numbers);
            hooks_.settled();
          });
}

void LinkPeer::clear_history() {
  spdlog::warn("{}: the shared history begins anew", options_.name);
  durable([peer = peer_](queue::Store& store) { store.clear_history(peer); }, [] {});
}

void LinkPeer::raise_floor(std::uint64_t floor) {
  durable([peer = peer_, floor](queue::Store& store) { store.raise_floor(peer, floor); }, [] {});
}

// ---- what the incoming direction asks

void LinkPeer::store(ArrivedBatch arrived) {
  auto batch = std::make_shared<queue::ReceivedBatch>(std::move(arrived.batch));
  for (auto& message : arrived.messages) {
    const std::uint64_t number = message.number;
    batch->messages.push_back(hooks_.classify(std::move(message)));
    auto& last = batch->messages.back();
    last.origin = peer_;
    last.origin_number = number;
    last.origin_incarnation = incoming_.peer_incarnation();
  }
  runner_->write(
      [peer = peer_, link = link_, batch](queue::Store& store) { return store.receive(peer, link, *batch); },
      guarded([this, number = batch->number](Result<std::vector<queue::Accepted>> accepted) {
        if (!accepted)
          spdlog::error("{}: cannot store batch {}: {}", options_.name, number, accepted.error().message);
        incoming_.on_stored(number, accepted.has_value(), clock_->now());
        if (accepted) hooks_.arrived(*accepted);
        pump();
        hooks_.wake();
      }));
}

void LinkPeer::void_batches(std::uint64_t first, std::uint64_t count) {
  runner_->write([peer = peer_, first, count](queue::Store& store) { store.void_batches(peer, first, count); },
                 guarded([this, first, count](Result<void> done) {
                   incoming_.on_voided(first, count, done.has_value(), clock_->now());
                   hooks_.wake();
                 }));
}

void LinkPeer::reset(std::uint64_t incarnation, std::uint64_t floor) {
  runner_->write([peer = peer_, incarnation,
                  floor](queue::Store& store) { store.reset_receive(peer, incarnation, floor); },
                 guarded([this](Result<void> done) {
                   incoming_.on_reset(done.has_value());
                   hooks_.wake();
                 }));
}

// ---- the session

void LinkPeer::attach(std::shared_ptr<Transport> transport) {
  if (transport_) {
    auto old = std::exchange(transport_, nullptr);
    book(true);
    session_.disconnected();
    old->set_events({});
    old->close("replaced by a newer session");
  }
  transport_ = std::move(transport);
  transport_->set_events({.writable = [this] { hooks_.wake(); },
                          .received = [this](ByteView frame) { on_frame(frame); },
                          .closed = [this](const std::string& why) { on_closed(why); }});
  const BootTime now = clock_->now();
  seen_ = {};
  greeted_ = false;
  up_since_ = now;
  note_.clear();
  current_ = {.session = new_session_id(), .up = 0, .down = 0};
  session_.connected(
      now, current_.session,
      {last_.session, static_cast<std::uint64_t>(last_.down), static_cast<std::uint64_t>(last_.up)});
  if (options_.initiator) ++unbooked_.session_opens;
  pump();
  hooks_.wake();
}

void LinkPeer::detach(ByeReason reason) {
  if (!transport_) return;
  session_.say_bye(reason);
  pump();
}

void LinkPeer::on_frame(ByteView frame) {
  last_contact_ = clock_->now();
  unbooked_.frame_down += static_cast<std::int64_t>(frame.size());
  if (auto done = session_.on_frame(frame, *last_contact_); !done)
    spdlog::warn("{}: the session ends: {}", options_.name, done.error().message);
  if (session_.peer() && !greeted_) on_greeted();
  if (auto bye = session_.peer_bye()) {
    note_ = fmt::format("the other side said: {}", to_string(*bye));
    transport_->close(note_);
  } else if (incoming_.refused()) {
    session_.say_bye(ByeReason::kStoreRefuses);
  }
  pump();
  hooks_.wake();
}

// What the peer counted of the last session that we did not have on disk when we were killed.
void LinkPeer::on_greeted() {
  greeted_ = true;
  const Greeting& peer = *session_.peer();
  current_.session = session_.id();
  if (peer.last_session == 0 || peer.last_session != last_.session) return;
  // At most what fits between two bookings, twice over: a peer that lies cannot use up a plan.
  const auto most = static_cast<std::int64_t>(transport_->rate_bps() / 8 * 20 + 4096);
  const auto missing = [&](std::uint64_t theirs, std::int64_t ours) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(theirs) - ours, 0, most);
  };
  unbooked_.wire_up += missing(peer.last_received, last_.up);
  unbooked_.wire_down += missing(peer.last_sent, last_.down);
}

void LinkPeer::on_closed(const std::string& why) {
  book(true);
  transport_.reset();
  session_.disconnected();
  last_ = current_;
  up_since_.reset();
  if (note_.empty()) note_ = why;
  if (session_.must_renew()) renew();
  hooks_.disconnected(note_);
  hooks_.wake();
}

void LinkPeer::renew() {
  renewing_ = true;
  session_.renewed();
  spdlog::warn(
      "{}: one side's state is older than what it said before (restored or cloned); taking a new incarnation",
      options_.name);
  auto incarnation = std::make_shared<std::uint64_t>();
  durable([peer = peer_, incarnation](queue::Store& store) { *incarnation = store.renew_incarnation(peer); },
          [this, incarnation] {
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
    if (!exempt && !transport_->can_send(now)) break;
    if (!exempt) outgoing_.prepare(now);
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
  const BootTime now = clock_->now();
  if (transport_) {
    const WireCount wire = transport_->wire();
    unbooked_.wire_up += static_cast<std::int64_t>(wire.up - seen_.up);
    unbooked_.wire_down += static_cast<std::int64_t>(wire.down - seen_.down);
    seen_ = wire;
    current_.up = static_cast<std::int64_t>(wire.up);
    current_.down = static_cast<std::int64_t>(wire.down);
  }
  const bool nothing = unbooked_.wire_up == 0 && unbooked_.wire_down == 0 && unbooked_.session_opens == 0;
  if (nothing || (!force && now - booked_at_ < kBookEvery)) return;
  booked_at_ = now;
  const auto bytes = std::exchange(unbooked_, {});
  totals_ += bytes;
  durable(
      [link = link_, bytes, note = current_](queue::Store& store) {
        store.book(link, bytes);
        store.note_session(link, note.session, note.up, note.down);
      },
      [] {});
}

void LinkPeer::book_failed_attempt(const WireCount& wire) {
  unbooked_.wire_up += static_cast<std::int64_t>(wire.up);
  unbooked_.wire_down += static_cast<std::int64_t>(wire.down);
}

void LinkPeer::step() {
  const BootTime now = clock_->now();
  while (!retries_.empty() && retries_.front().at <= now) {
    auto retry = std::move(retries_.front());
    retries_.pop_front();
    durable(std::move(retry.op), std::move(retry.done));
  }
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
  if (!retries_.empty()) consider(retries_.front().at);
  if (transport_) {
    consider(session_.next_wake());
    const bool work = session_.wants_to_send(now) || (session_.peer() && scheduler_.ready(now));
    if (work && !outgoing_.loading()) consider(transport_->next_wake(now));
    if (outgoing_.waiting_since()) consider(booked_at_ + kBookEvery);
  } else if (wake && *wake <= now && scheduler_.ready(now)) {
    // Work that waits for a transport: the owner is told when there is one.
    wake = now + kBookEvery;
  }
  return wake;
}

LinkStatus LinkPeer::status() const {
  LinkStatus status;
  status.name = options_.link;
  status.peer = options_.name;
  status.state = transport_ ? "up" : "down";
  status.note = note_;
  status.bytes = totals_;
  status.bytes += unbooked_;
  status.inflight_bytes = outgoing_.in_flight_bytes();
  status.up_since = up_since_;
  status.last_contact = last_contact_;
  if (!transport_) return status;
  const WireCount wire = transport_->wire();
  status.bytes.wire_up += static_cast<std::int64_t>(wire.up - seen_.up);
  status.bytes.wire_down += static_cast<std::int64_t>(wire.down - seen_.down);
  status.rate_bps = transport_->rate_bps();
  status.round_trip = transport_->round_trip();
  if (!session_.peer()) status.state = "connecting";
  return status;
}

}  // namespace tulpar::link
