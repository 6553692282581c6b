// SPDX-License-Identifier: Apache-2.0
//
// Store: acceptance, the ends of stories, the edge.
#include "config/fail_point.hpp"
#include "queue/store.hpp"
#include "queue/store_statements.hpp"

namespace tulpar::queue {

std::vector<Accepted> Store::accept(std::span<const NewMessage> messages) {
  std::vector<Accepted> accepted;
  accepted.reserve(messages.size());
  for (const auto& message : messages) accepted.push_back(accept_one(message));
  return accepted;
}

Accepted Store::accept_one(const NewMessage& message) {
  const bool edge = message.peer == kEdge;
  const std::int64_t cls = class_rows_.at(message.cls);
  if (message.packet && !first_seen(message)) {
    ledger_->count(edge, cls, Book{.duplicates = 1});
    return {Entry{}, true};
  }
  if (message.drop != DropReason::kNone) {
    ledger_->count(edge, cls, Book{.accepted = 1, .dropped = 1});
    ledger_->count_drop(edge, cls, message.drop);
    return {Entry{}, false};
  }
  // Nobody here to give it to: it ends at this store.
  const bool ends_here = edge && message.sinks == 0;
  Entry entry{.number = edge             ? 0
                        : message.number ? message.number
                                         : next_number(message.peer),
              .accepted = clock_->now() - message.age,
              .bytes = static_cast<std::uint32_t>(message.topic.size() + message.payload.size()),
              .kind = message.kind,
              .node = node(message.node),
              .cls = message.cls,
              .flagged = message.flagged};
  entry.id = insert(message, entry, ends_here ? State::kDelivered : State::kQueued);
  ledger_->count(edge, cls, Book{.accepted = 1, .delivered = ends_here ? 1 : 0, .queued = ends_here ? 0 : 1});
  if (ends_here) {
    sql_->erase_later.run(entry.id, boot_row_, clock_->now().time_since_epoch().count());
    return {Entry{}, false};
  }
  return {entry, false, entry.cls == kEmergency ? std::make_shared<const NewMessage>(message) : nullptr};
}

void Store::remember(const std::string& source, std::span<const BrokerMark> marks) {
  if (marks.empty()) return;
  Statement add(db_, "INSERT INTO mark(source, packet, fingerprint) VALUES(?1, ?2, ?3)");
  for (const auto& mark : marks) add.run(source, static_cast<int>(mark.packet), mark.fingerprint);
  // Ids are of all sources together, so a source that is quiet beside a busy one loses marks: its broker then
  // has few to repeat.
  Statement(db_, "DELETE FROM mark WHERE id <= (SELECT max(id) FROM mark) - ?1").run(4 * kMarks);
}

std::vector<BrokerMark> Store::marks(const std::string& source) {
  std::vector<BrokerMark> marks;
  Statement rows(db_,
                 "SELECT packet, fingerprint FROM (SELECT id, packet, fingerprint FROM mark WHERE source = ?1 "
                 "ORDER BY id DESC LIMIT ?2) ORDER BY id");
  for (rows(source, kMarks); rows.step();)
    marks.push_back({static_cast<std::uint16_t>(rows.integer(0)), rows.number(1)});
  return marks;
}

// One scope a mesh (the link peer that it is behind), one for what goes to the sinks here. What came from a
// mesh is noted for it, too, so that it is never sent back there; at the gateway, so that what was sent down
// never goes up.
bool Store::first_seen(const NewMessage& message) {
  const std::int64_t day = today();
  sql_->add_seen.run(message.packet, message.peer, day);
  const bool first = db_.changes() != 0;
  if (message.origin != message.peer) sql_->add_seen.run(message.packet, message.origin, day);
  return first;
}

MessageId Store::insert(const NewMessage& message, const Entry& entry, State state) {
  auto wall_accepted = wall_ms();
  if (wall_accepted) *wall_accepted -= message.age.count();
  sql_->add_message.run(message.peer, entry.number, class_rows_.at(message.cls), entry.node, entry.kind,
                        static_cast<int>(state), entry.bytes, message.topic, message.packet,
                        message.flagged ? 1 : 0, message.origin, message.origin_number,
                        message.origin_incarnation, message.sinks, boot_row_,
                        entry.accepted.time_since_epoch().count(), wall_accepted);
  const MessageId id = db_.last_id();
  sql_->add_body.run(id, message.payload);
  return id;
}

// A new start begins a new block: should the disk have lost its last transactions in a power cut (they happen
// with cheap cards), no number that the peer may have seen is given twice.
Store::NumberBlock& Store::numbers(PeerId peer) {
  if (auto cached = numbers_.find(peer); cached != numbers_.end()) return cached->second;
  sql_->peer(peer).step();
  const std::uint64_t end = sql_->peer.number(1);
  sql_->peer.reset();
  return numbers_[peer] = {end, end};
}

std::uint64_t Store::next_number(PeerId peer) {
  NumberBlock& block = numbers(peer);
  if (is_aside(block.next)) block.next = block_end(block.next);
  reserve_numbers(peer);
  return block.next++;
}

void Store::reserve_numbers(PeerId peer) {
  NumberBlock& block = numbers(peer);
  if (block.next < block.end) return;
  block.end = block_end(block.next);
  sql_->number_end.run(peer, block.end);
  TULPAR_FAIL_POINT("store.numbers");
}

std::uint64_t Store::next_block(PeerId peer) {
  NumberBlock& block = numbers(peer);
  block.next = block_end(block.next);
  reserve_numbers(peer);
  return block.next;
}

Entry Store::entry_from(const Statement& row) {
  const BootTime accepted{Millis{row.integer(7)}};
  return Entry{.id = row.integer(0),
               .number = row.number(1),
               .accepted = accepted + boot_offset(row.integer(6)),
               .bytes = static_cast<std::uint32_t>(row.integer(5)),
               .kind = static_cast<std::uint32_t>(row.integer(4)),
               .node = static_cast<NodeId>(row.integer(3)),
               .cls = class_id(row.integer(2)),
               .flagged = row.integer(8) != 0};
}

std::vector<std::pair<Entry, std::uint64_t>> Store::load_edge(MessageId after, MessageId upto,
                                                              std::size_t limit) {
  std::vector<std::pair<Entry, std::uint64_t>> entries;
  auto& rows = sql_->unfinished;
  for (rows(kEdge, after, limit, upto); rows.step();) entries.emplace_back(entry_from(rows), rows.number(9));
  return entries;
}

MessageId Store::last_message() {
  return db_.query_int("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'");
}

std::optional<Store::Row> Store::unfinished(MessageId id) {
  auto& row = sql_->find;
  if (!row(id).step()) return std::nullopt;
  const Row found{.id = id,
                  .peer = static_cast<PeerId>(row.integer(1)),
                  .cls = row.integer(2),
                  .node = static_cast<NodeId>(row.integer(3)),
                  .state = static_cast<State>(row.integer(4)),
                  .bytes = static_cast<std::uint32_t>(row.integer(5)),
                  .owed = row.number(6),
                  .given = row.integer(7)};
  row.reset();
  return found;
}

void Store::finish_row(const Row& row, State state, DropReason reason) {
  const bool edge = row.peer == kEdge;
  sql_->finish.run(row.id, static_cast<int>(state), static_cast<int>(reason), wall_ms());
  Book change{.queued = -1};
  if (state == State::kDelivered) change.delivered = 1;
  if (state == State::kExpired) change.expired = 1;
  if (state == State::kConflated) change.conflated = 1;
  if (state == State::kDropped) change.dropped = 1;
  ledger_->count(edge, row.cls, change);
  if (state == State::kDropped) ledger_->count_drop(edge, row.cls, reason);
  if (state == State::kDelivered) {
    sql_->erase_later.run(row.id, boot_row_, clock_->now().time_since_epoch().count());
  } else {
    sql_->delete_body.run(row.id);
    erased_ = true;
  }
}

std::int64_t Store::finish(std::span<const Finished> messages) {
  std::int64_t changed = 0;
  for (const auto& message : messages) {
    const auto row = unfinished(message.id);
    if (!row || row->state == State::kInFlight) continue;
    finish_row(*row, message.state, message.reason);
    ++changed;
  }
  return changed;
}

std::int64_t Store::release(std::span<const MessageId> ids, int bit, DropReason why) {
  const State state = why == DropReason::kNone ? State::kDelivered : State::kDropped;
  std::int64_t changed = 0;
  for (const auto id : ids) changed += end_at_sink(id, bit, state, why);
  return changed;
}

std::int64_t Store::end_at_sink(MessageId id, int bit, State state, DropReason why) {
  const std::uint64_t mask = std::uint64_t{1} << bit;
  const auto row = unfinished(id);
  if (!row || !(row->owed & mask)) return 0;
  const std::int64_t given = row->given + (state == State::kDelivered ? 1 : 0);
  if (const std::uint64_t left = row->owed & ~mask)
    sql_->owed.run(id, left, given);
  else
    finish_row(*row, given ? State::kDelivered : state, given ? DropReason::kNone : why);
  return 1;
}

bool Store::reclassify(MessageId id, ClassId cls) {
  const auto row = unfinished(id);
  if (!row || row->state != State::kQueued) return false;
  const std::int64_t to = class_rows_.at(cls);
  sql_->reclassify.run(id, to);
  // The books are per class: the message moves with its acceptance.
  ledger_->count(row->peer == kEdge, row->cls, Book{.accepted = -1, .queued = -1});
  ledger_->count(row->peer == kEdge, to, Book{.accepted = 1, .queued = 1});
  return true;
}

void Store::mark_in_flight(std::span<const MessageId> ids, std::uint64_t batch) {
  for (const auto id : ids) sql_->in_flight.run(id, batch, wall_ms());
}

void Store::mark_queued(std::span<const MessageId> ids) {
  for (const auto id : ids) sql_->back.run(id);
}

}  // namespace tulpar::queue
