// SPDX-License-Identifier: Apache-2.0
//
// Store: the numbers and histories of the link's two directions, and the bytes it used.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "config/fail_point.hpp"
#include "queue/store.hpp"
#include "queue/store_statements.hpp"

namespace tulpar::queue {
namespace {

// FORMAT.md, "Base": the sender keeps 128 KiB of history, the receiver 256.
constexpr std::int64_t kSenderKeeps = 128 * 1024;
constexpr std::int64_t kReceiverKeeps = 256 * 1024;
// A start uses up what is left of the block before, so it is small against the 4096 that a peer accepts ahead.
constexpr std::uint64_t kBatchBlock = 256;
// Intervals of received numbers kept for a peer: about 4 MiB of memory. Only gaps make intervals, and an honest
// sender's gaps are what it finished otherwise above its oldest waiting message: at a satellite's pace, years.
constexpr std::size_t kMostIntervals = 65'536;

// As in the column `lives`: name, message end, batch end, big-endian.
constexpr std::size_t kLifeBytes = 4 + 8 + 8;

std::uint64_t read_number(ByteView bytes) {
  std::uint64_t number = 0;
  for (const auto byte : bytes) number = number << 8 | byte;
  return number;
}

std::vector<SenderLife> read_lives(ByteView stored) {
  std::vector<SenderLife> lives;
  for (; stored.size() >= kLifeBytes; stored = stored.subspan(kLifeBytes))
    lives.push_back({static_cast<std::uint32_t>(read_number(stored.first(4))),
                     read_number(stored.subspan(4, 8)), read_number(stored.subspan(12, 8))});
  return lives;
}

Bytes written(const std::vector<SenderLife>& lives) {
  Bytes out;
  const auto put = [&](std::uint64_t number, int bytes) {
    while (bytes-- > 0) out.push_back(static_cast<std::uint8_t>(number >> 8 * bytes));
  };
  for (const auto& life : lives) {
    put(life.name, 4);
    put(life.message_end, 8);
    put(life.batch_end, 8);
  }
  return out;
}

std::uint32_t random_name() {
  std::random_device device;
  const std::uint32_t name = device();
  return name ? name : 1;
}

}  // namespace

std::vector<HistoryPart> Store::load_history(PeerId peer, bool outgoing) {
  std::vector<HistoryPart> parts;
  auto& rows = sql_->history;
  for (rows(peer, outgoing ? 1 : 0); rows.step();) {
    const ByteView plain = rows.blob(1);
    parts.push_back({rows.number(0), Bytes(plain.begin(), plain.end())});
  }
  return parts;
}

void Store::add_history(PeerId peer, bool outgoing, const HistoryPart& part, std::int64_t keep) {
  const int side = outgoing ? 1 : 0;
  sql_->add_history.run(peer, side, part.batch, part.plain);
  auto& sizes = sql_->history_sizes;
  std::int64_t kept = 0;
  for (sizes(peer, side); sizes.step();) {
    kept += sizes.integer(1);
    if (kept < keep) continue;
    const std::int64_t oldest = sizes.integer(0);
    sizes.reset();
    sql_->trim_history.run(peer, side, oldest);
    return;
  }
}

SendState Store::load_send(PeerId peer, std::size_t limit) {
  SendState state;
  auto& row = sql_->peer;
  row(peer).step();
  state.batch_floor = row.number(2);
  state.batch_next = row.number(3);
  state.incarnation = row.number(4);
  row.reset();
  state.lives = begin_life(peer);
  life_began_[peer] = state.batch_next;
  state.batch_end = reserve_batches(peer, kBatchBlock);
  // A block of its own, also where this process has loaded the peer before.
  numbers_.contains(peer) ? void(next_block(peer)) : reserve_numbers(peer);
  state.next_message = numbers(peer).next;
  // What was not acknowledged to us before the stop will be void, at the peer too: FORMAT.md, "Numbers".
  sql_->cut_history.run(peer, 1, state.batch_floor, state.batch_next);
  sql_->all_back.run(peer);
  state.history = load_history(peer, true);
  state.queued = queued(peer, 0, limit);
  state.more = state.queued.size() == limit;
  return state;
}

std::vector<SenderLife> Store::begin_life(PeerId peer) {
  auto& row = sql_->peer;
  row(peer).step();
  auto lives = read_lives(row.blob(8));
  if (!lives.empty()) {
    lives.back().message_end = row.number(1);
    lives.back().batch_end = row.number(3);
  }
  row.reset();
  // The peer has the first.
  if (lives.size() == kMostLives) lives.erase(lives.begin() + 1);
  lives.push_back({.name = random_name()});
  sql_->lives.run(peer, written(lives));
  return lives;
}

std::vector<Entry> Store::queued(PeerId peer, MessageId after, std::size_t limit) {
  std::vector<Entry> entries;
  auto& rows = sql_->unfinished;
  for (rows(peer, after, limit, kNoEnd); rows.step();) entries.push_back(entry_from(rows));
  return entries;
}

std::uint64_t Store::reserve_batches(PeerId peer, std::uint64_t count) {
  sql_->batch_end.run(peer, count);
  TULPAR_FAIL_POINT("store.batches");
  sql_->peer(peer).step();
  const std::uint64_t end = sql_->peer.number(3);
  sql_->peer.reset();
  return end;
}

LinkBytes Store::settle(PeerId peer, std::int64_t link, const SettledBatch& batch) {
  LinkBytes bytes;
  for (const auto& cost : batch.messages) {
    const auto row = unfinished(cost.id);
    if (!row) continue;
    finish_row(*row, State::kDelivered, DropReason::kNone);
    sql_->cost.run(cost.id, cost.frame_bytes);
    ledger_->add({link, row->cls, row->node},
                 Usage{.messages = 1, .payload = row->bytes, .frame = cost.frame_bytes});
    settled_.push_back({link, row->id, row->cls, row->node, cost.frame_bytes});
    bytes.payload_up += row->bytes;
    bytes.frame_up += cost.frame_bytes;
  }
  ledger_->add(link, bytes);
  const auto from = history_from_.find(peer);
  if (batch.enters_history && (from == history_from_.end() || batch.number >= from->second))
    add_history(peer, true, {batch.number, batch.plain}, kSenderKeeps);
  raise_floor(peer, batch.floor);
  return bytes;
}

void Store::clear_history(PeerId peer, std::uint64_t from) {
  sql_->clear_history.run(peer, 1);
  auto& first = history_from_[peer];
  first = std::max(first, from);
}

void Store::raise_floor(PeerId peer, std::uint64_t floor) {
  sql_->batch_floor.run(peer, floor);
  // The peer has closed a number of this life.
  if (const auto began = life_began_.find(peer); began != life_began_.end() && floor > began->second)
    sql_->known_life.run(peer);
}

ReceiveState& Store::received(PeerId peer) {
  if (auto cached = received_.find(peer); cached != received_.end()) return cached->second;
  ReceiveState state;
  auto& row = sql_->peer;
  row(peer).step();
  state.incarnation = row.number(0);
  state.numbers = NumberSet(row.number(5));
  state.batches = NumberSet(row.number(6) + 1);
  state.life = static_cast<std::uint32_t>(row.number(7));
  row.reset();
  const auto load = [&](const char* table, NumberSet& set) {
    Statement runs(db_, fmt::format("SELECT first, end FROM {} WHERE peer = ?1", table));
    for (runs(peer); runs.step();) set.add(runs.number(0), runs.number(1) - runs.number(0));
  };
  load("received", state.numbers);
  load("closed", state.batches);
  return received_[peer] = std::move(state);
}

ReceiveState Store::load_receive(PeerId peer) {
  ReceiveState state = received(peer);
  state.history = load_history(peer, false);
  return state;
}

void Store::save_runs(const char* table, PeerId peer, const NumberSet& set, const NumberSet::Touched& touched) {
  if (touched.empty()) return;
  Statement remove(db_, fmt::format("DELETE FROM {} WHERE peer = ?1 AND first = ?2", table));
  Statement keep(db_, fmt::format("INSERT OR REPLACE INTO {}(peer, first, end) VALUES(?1, ?2, ?3)", table));
  for (const auto first : touched) {
    if (const auto run = set.runs().find(first); run != set.runs().end())
      keep.run(peer, first, run->second);
    else
      remove.run(peer, first);
  }
}

void Store::save_received(PeerId peer, const NumberSet::Touched& numbers, const NumberSet::Touched& batches) {
  const ReceiveState& state = received(peer);
  sql_->marks.run(peer, state.numbers.low(), state.batches.low() - 1, state.life);
  save_runs("received", peer, state.numbers, numbers);
  save_runs("closed", peer, state.batches, batches);
}

void Store::reset_receive(PeerId peer, std::uint64_t incarnation, std::uint64_t floor) {
  received_[peer] = ReceiveState{.incarnation = incarnation,
                                 .life = 0,
                                 .numbers = NumberSet(1),
                                 .batches = NumberSet(floor),
                                 .history = {}};
  sql_->incarnation.run(peer, incarnation);
  Statement(db_, "DELETE FROM received WHERE peer = ?1").run(peer);
  Statement(db_, "DELETE FROM closed WHERE peer = ?1").run(peer);
  save_received(peer, {}, {});
  sql_->clear_history.run(peer, 0);
}

void Store::void_batches(PeerId peer, std::uint64_t first, std::uint64_t count, std::uint32_t life) {
  sql_->cut_history.run(peer, 0, first, first + count);
  auto& state = received(peer);
  NumberSet::Touched touched;
  if (!state.batches.add(first, count, &touched)) return;
  state.life = life;
  save_received(peer, {}, touched);
}

Store::Received Store::receive(PeerId peer, std::int64_t link, const ReceivedBatch& batch) {
  auto& state = received(peer);
  if (state.incarnation != batch.incarnation)
    throw StoreError(fmt::format("batch {} belongs to another life of its sender", batch.number),
                     SQLITE_MISUSE);
  if (state.batches.contains(batch.number)) return {};
  const std::size_t intervals = state.numbers.runs().size();
  NumberSet::Touched numbers, batches;
  Received received;
  state.numbers.raise(batch.settled, &numbers);
  for (const auto& message : batch.messages) {
    if (!state.numbers.add(message.origin_number, 1, &numbers)) {
      ledger_->count(true, class_rows_.at(message.cls), Book{.duplicates = 1});
      continue;
    }
    received.bytes.payload_down += static_cast<std::int64_t>(message.topic.size() + message.payload.size());
    received.accepted.push_back(accept_one(message));
  }
  // What fills a gap is always taken, so that a sender's oldest messages can end this.
  if (const auto now = state.numbers.runs().size(); now > kMostIntervals && now > intervals)
    throw StoreError(fmt::format("batch {} would leave more than {} gaps in its sender's numbers", batch.number,
                                 kMostIntervals),
                     SQLITE_TOOBIG);
  state.batches.add(batch.number, 1, &batches);
  state.life = batch.life;
  save_received(peer, numbers, batches);
  ledger_->add(link, received.bytes);
  if (batch.enters_history) add_history(peer, false, {batch.number, batch.plain}, kReceiverKeeps);
  return received;
}

void Store::book(std::int64_t link, const LinkBytes& bytes) {
  ledger_->add(link, bytes);
  booked_[link] += bytes;
}

void Store::note_session(std::int64_t link, std::uint64_t session, std::int64_t up, std::int64_t down) {
  // Two of one session may be committed in any order.
  Statement(db_,
            "UPDATE link SET session_up = max(?3, iif(last_session = ?2, session_up, 0)), "
            "session_down = max(?4, iif(last_session = ?2, session_down, 0)), last_session = ?2 WHERE id = ?1")
      .run(link, session, up, down);
}

Store::SessionNote Store::session_note(std::int64_t link) {
  Statement row(db_, "SELECT last_session, session_up, session_down FROM link WHERE id = ?1");
  row(link).step();
  return {row.number(0), row.integer(1), row.integer(2)};
}

LinkBytes Store::totals(std::int64_t link) {
  Statement row(
      db_,
      "SELECT payload_up, payload_down, frame_up, frame_down, wire_up, wire_down, session_opens FROM link "
      "WHERE id = ?1");
  row(link).step();
  return {row.integer(0), row.integer(1), row.integer(2), row.integer(3),
          row.integer(4), row.integer(5), row.integer(6)};
}

// Largest remainder, in one pass: each message gets the difference of the rounded cumulative shares, so the
// parts add up to the whole whatever the rounding.
void Store::spread_wire() {
  for (const auto& [link, bytes] : booked_) {
    const auto on_link = [&, id = link](const SettledPart& part) { return part.link == id; };
    const auto weight = [](const SettledPart& part) { return part.frame_bytes + 1; };
    std::int64_t total = 0;
    for (const auto& part : settled_)
      if (on_link(part)) total += weight(part);
    if (total == 0) {
      ledger_->add({link, -1, 0}, Usage{.wire_up = bytes.wire_up, .wire_down = bytes.wire_down});
      continue;
    }
    std::int64_t sum = 0, up = 0, down = 0;
    for (const auto& part : settled_) {
      if (!on_link(part)) continue;
      sum += weight(part);
      const std::int64_t up_now = bytes.wire_up * sum / total, down_now = bytes.wire_down * sum / total;
      ledger_->add({link, part.cls, part.node}, Usage{.wire_up = up_now - up, .wire_down = down_now - down});
      sql_->wire.run(part.id, up_now - up + down_now - down);
      up = up_now;
      down = down_now;
    }
  }
  booked_.clear();
  settled_.clear();
}

}  // namespace tulpar::queue
