// SPDX-License-Identifier: Apache-2.0
//
// LinkPeer's dealings with the store: what its two directions ask of it, and how messages end.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/fail_point.hpp"
#include "gateway/link/peer.hpp"

namespace tulpar::link {
namespace {

// A disk that cannot be read is asked again after this.
constexpr Millis kLoadAgain = std::chrono::seconds(1);
// One that the disk does not give, while it gives others.
constexpr Millis kReadAgain = std::chrono::seconds(10);
// A commit of a healthy disk takes 5 to 50 ms.
constexpr Millis kPatience{500};

std::vector<queue::MessageId> ids_of(const std::vector<queue::Entry>& entries) {
  std::vector<queue::MessageId> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  return ids;
}

struct Readable {
  std::vector<queue::Body> bodies;
  std::vector<queue::MessageId> unread;
  std::string why;
};

Readable read_each(queue::StoreReader& reader, const std::vector<queue::MessageId>& ids) {
  Readable read;
  for (const auto id : ids) {
    try {
      auto body = reader.bodies({id});
      std::move(body.begin(), body.end(), std::back_inserter(read.bodies));
    } catch (const queue::StoreError& error) {
      read.unread.push_back(id);
      read.why = error.plain();
    }
  }
  return read;
}

std::vector<std::uint64_t> numbers_of(const std::vector<queue::Entry>& entries) {
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries) numbers.push_back(entry.number);
  return numbers;
}

}  // namespace

void LinkPeer::finish(const std::vector<queue::Entry>& entries, queue::State state, queue::DropReason why) {
  if (entries.empty()) return;
  std::vector<queue::Finished> ends;
  std::vector<queue::MessageId> ids;
  for (const auto& entry : entries) {
    ids.push_back(row_of(entry));
    ends.push_back({ids.back(), state, why});
    unstored_.forget(entry.number);
    at_hand_.forget(ids.back());
  }
  writes_.add(
      [ids, ends](queue::Store& store) {
        store.mark_queued(ids);
        store.finish(ends);
      },
      [this, numbers = numbers_of(entries)] {
        outgoing_.on_finished(numbers);
        hooks_.settled();
      });
}

// ---- emergencies that the disk does not take

std::optional<std::uint64_t> LinkPeer::number_aside() {
  auto& numbers = outgoing_.message_numbers();
  if (numbers.asides_left() < queue::kNumbersAside / 2 && !std::exchange(block_asked_, true)) {
    auto first = std::make_shared<std::uint64_t>();
    writes_.add([peer = peer_, first](queue::Store& store) { *first = store.next_block(peer); },
                [this, first] {
                  block_asked_ = false;
                  outgoing_.message_numbers().begin_block(*first);
                });
  }
  return numbers.take_aside();
}

void LinkPeer::add_unstored(const queue::NewMessage& message) {
  scheduler_.add(unstored_.add(message, clock_->now()));
  pump();
  hooks_.wake();
}

void LinkPeer::give_up_aside(std::uint64_t number) {
  if (unstored_.contains(number)) {
    if (!scheduler_.remove(unstored_.entry(number).id)) return unstored_.abandon(number);
    unstored_.forget(number);
  }
  outgoing_.on_finished(std::span(&number, 1));
}

// Those in memory wait neither for a disk that hangs nor for one that was unreadable just now. Each is a batch
// of its own: one that the other side refuses must not hold back the rest.
void LinkPeer::send_from_memory(BootTime now) {
  auto ids = at_hand_.ids();
  for (const auto& entry : unstored_.undelivered()) ids.push_back(entry.id);
  for (const auto id : ids) {
    if (!outgoing_.may_make(queue::kEmergency)) return;
    if (const auto entry = scheduler_.remove(id)) outgoing_.make({*entry}, bodies_at_hand({*entry}), now);
  }
}

bool LinkPeer::at_hand(const queue::Entry& entry) const {
  return is_unstored(entry) || at_hand_.find(entry.id);
}

std::vector<queue::Body> LinkPeer::bodies_at_hand(const std::vector<queue::Entry>& entries) const {
  if (is_unstored(entries.front())) return unstored_.bodies(entries);
  std::vector<queue::Body> bodies;
  for (const auto& entry : entries) bodies.push_back(*at_hand_.find(entry.id));
  return bodies;
}

void LinkPeer::adopt(const queue::Entry& stored) {
  const std::uint64_t number = stored.number;
  if (const auto frame_bytes = unstored_.delivered_for(number)) {
    unstored_.forget(number);
    settle({.number = 0, .floor = 1, .plain = {}, .messages = {{stored.id, *frame_bytes}}}, {});
  } else if (scheduler_.remove(unstored_.entry(number).id)) {
    unstored_.forget(number);
    scheduler_.add(stored);
  } else {
    unstored_.stored(stored);
  }
}

// The row of what was sent from memory; where there is none, an id that changes nothing.
queue::MessageId LinkPeer::row_of(const queue::Entry& entry) const {
  const auto row = is_unstored(entry) ? unstored_.row(entry.number) : std::nullopt;
  return row ? row->id : entry.id;
}

// ---- what the outgoing direction asks

void LinkPeer::on_load_failed(const std::string& why) {
  const BootTime now = clock_->now();
  // Once for each trouble.
  if (now - load_after_ > kLoadAgain) spdlog::error("{}: cannot read messages: {}", options_.name, why);
  load_after_ = now + kLoadAgain;
  outgoing_.on_load_failed();
}

void LinkPeer::load(const std::vector<queue::Entry>& entries) {
  if (at_hand(entries.front())) return outgoing_.on_loaded(bodies_at_hand(entries), clock_->now());
  runner_->read([ids = ids_of(entries)](queue::StoreReader& reader) { return reader.bodies(ids); },
                guarded([this, entries](Result<std::vector<queue::Body>> bodies) {
                  bodies ? outgoing_.on_loaded(std::move(*bodies), clock_->now()) : load_each(entries);
                  pump();
                  hooks_.wake();
                }));
}

// A row on a bad spot of the disk must not stop the others.
void LinkPeer::load_each(const std::vector<queue::Entry>& entries) {
  runner_->read([ids = ids_of(entries)](queue::StoreReader& reader) { return read_each(reader, ids); },
                guarded([this, entries](Result<Readable> read) {
                  if (!read) return on_load_failed(read.error().message);
                  set_aside(entries, read->unread, read->why);
                  if (read->bodies.empty()) load_after_ = clock_->now() + kLoadAgain;
                  outgoing_.on_loaded(std::move(read->bodies), clock_->now(), read->unread);
                  pump();
                  hooks_.wake();
                }));
}

void LinkPeer::set_aside(std::span<const queue::Entry> entries, std::span<const queue::MessageId> unread,
                         const std::string& why) {
  if (unread.empty()) return;
  if (unread_.empty()) {
    spdlog::error("{}: cannot read {} messages ({} first), the others go on: {}", options_.name, unread.size(),
                  unread.front(), why);
    unread_again_ = clock_->now() + kReadAgain;
  }
  for (const auto& entry : entries)
    if (std::find(unread.begin(), unread.end(), entry.id) != unread.end()) unread_.push_back(entry);
}

void LinkPeer::drop(const std::vector<queue::Entry>& entries, queue::DropReason why) {
  for (const auto& entry : entries)
    spdlog::warn("{}: message {} is dropped: {}", options_.name, entry.id, queue::to_string(why));
  finish(entries, queue::State::kDropped, why);
}

void LinkPeer::reserve(std::uint64_t count) {
  auto end = std::make_shared<std::uint64_t>();
  writes_.add([peer = peer_, count, end](queue::Store& store) { *end = store.reserve_batches(peer, count); },
              [this, end] {
                TULPAR_FAIL_POINT("link.reserved");
                outgoing_.on_reserved(*end);
                hooks_.wake();
              });
}

void LinkPeer::begin(std::uint64_t batch, std::vector<queue::MessageId> ids) {
  TULPAR_FAIL_POINT("link.begin");
  runner_->post([batch, ids = std::move(ids)](queue::Store& store) { store.mark_in_flight(ids, batch); });
}

void LinkPeer::given_back(const std::vector<queue::Entry>& entries) {
  runner_->post([ids = ids_of(entries)](queue::Store& store) { store.mark_queued(ids); });
  for (const auto& entry : entries) {
    const auto row = is_unstored(entry) ? unstored_.row(entry.number) : std::nullopt;
    if (!row) continue;
    scheduler_.remove(entry.id);
    scheduler_.give_back(*row);
    unstored_.forget(entry.number);
  }
}

void LinkPeer::settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) {
  TULPAR_FAIL_POINT("link.settle");
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!unstored_.contains(numbers[i])) continue;
    if (const auto row = unstored_.row(numbers[i])) {
      batch.messages[i].id = row->id;
      unstored_.forget(numbers[i]);
    } else {
      unstored_.delivered(numbers[i], batch.messages[i].frame_bytes);
    }
  }
  for (const auto& message : batch.messages) at_hand_.forget(message.id);
  book(true);
  auto grown = std::make_shared<queue::LinkBytes>();
  writes_.add([peer = peer_, link = link_, batch = std::move(batch),
               grown](queue::Store& store) { *grown = store.settle(peer, link, batch); },
              [this, grown, numbers = std::move(numbers)] {
                TULPAR_FAIL_POINT("link.settled");
                books_.add_written(*grown);
                outgoing_.on_settled(numbers);
                hooks_.settled();
              });
}

void LinkPeer::clear_history(std::uint64_t from) {
  spdlog::info("{}: the shared history begins anew", options_.name);
  writes_.add([peer = peer_, from](queue::Store& store) { store.clear_history(peer, from); }, [] {});
}

void LinkPeer::raise_floor(std::uint64_t floor) {
  writes_.add([peer = peer_, floor](queue::Store& store) { store.raise_floor(peer, floor); }, [] {});
}

// ---- what the incoming direction asks

void LinkPeer::store(ArrivedBatch arrived) {
  TULPAR_FAIL_POINT("link.receive");
  auto batch = std::make_shared<queue::ReceivedBatch>(std::move(arrived.batch));
  for (auto& message : arrived.messages) {
    const std::uint64_t number = message.number;
    batch->messages.push_back(hooks_.classify(std::move(message)));
    auto& last = batch->messages.back();
    last.origin = peer_;
    last.origin_number = number;
    last.origin_incarnation = incoming_.peer_incarnation();
  }
  std::vector<queue::NewMessage> emergencies;
  for (const auto& message : batch->messages)
    if (message.cls == queue::kEmergency) emergencies.push_back(message);
  if (hooks_.unstored && !emergencies.empty())
    storing_emergencies_[batch->number] = {std::move(emergencies), clock_->now() + kPatience};
  runner_->write(
      [peer = peer_, link = link_, batch](queue::Store& store) { return store.receive(peer, link, *batch); },
      guarded([this, batch, number = batch->number](Result<queue::Store::Received> received) {
        TULPAR_FAIL_POINT("link.received");
        if (!received) {
          spdlog::error("{}: cannot store batch {}: {}", options_.name, number, received.error().message);
          if (const auto late = storing_emergencies_.find(number); late != storing_emergencies_.end())
            tell(late->second);
        }
        storing_emergencies_.erase(number);
        incoming_.on_stored(number, received.has_value(), clock_->now());
        if (transport_ && incoming_.refused()) session_.say_bye(ByeReason::kStoreRefuses);
        if (received) {
          books_.add_written(received->bytes);
          hooks_.arrived(received->accepted);
        }
        pump();
        hooks_.wake();
      }));
}

void LinkPeer::tell_late_emergencies(BootTime now) {
  for (auto& [batch, storing] : storing_emergencies_)
    if (storing.due && now >= *storing.due) tell(storing);
}

void LinkPeer::tell(StoringEmergencies& storing) {
  if (std::exchange(storing.due, std::nullopt)) hooks_.unstored(storing.messages);
}

void LinkPeer::void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) {
  TULPAR_FAIL_POINT("link.void");
  runner_->write(
      [peer = peer_, first, count, life](queue::Store& store) { store.void_batches(peer, first, count, life); },
      guarded([this, first, count](Result<void> done) {
        TULPAR_FAIL_POINT("link.voided");
        incoming_.on_voided(first, count, done.has_value(), clock_->now());
        hooks_.wake();
      }));
}

void LinkPeer::reset(std::uint64_t incarnation, std::uint64_t floor) {
  TULPAR_FAIL_POINT("link.reset");
  runner_->write([peer = peer_, incarnation,
                  floor](queue::Store& store) { store.reset_receive(peer, incarnation, floor); },
                 guarded([this](Result<void> done) {
                   TULPAR_FAIL_POINT("link.was_reset");
                   incoming_.on_reset(done.has_value());
                   hooks_.wake();
                 }));
}

}  // namespace tulpar::link
