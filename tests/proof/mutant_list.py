# SPDX-License-Identifier: Apache-2.0
"""Deliberate mistakes, each of which would lose, double or misbook something, and the tests that must notice."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    right: str  # stands in the file exactly once
    wrong: str
    tests: tuple  # programs below tests/, in the order in which they are asked


STORE = ("queue/queue_store_test",)
LINK = ("gateway/link/link_test",)
BRIDGE = ("bridge/bridge_mqtt_test",)
GATEWAY = ("gateway/gateway_test",)
SCHEDULER = ("queue/queue_scheduler_test",)
POWER = ("queue/queue_power_cut_test",)

MUTANTS = (
    Mutant("acknowledge to the broker before the commit", "gateway/ingest.cpp",
           "  station_->runner().write(\n", "  done(true);\n  station_->runner().write(\n", GATEWAY),
    Mutant("let acknowledgements out while the source is held", "bridge/mqtt_connection.cpp",
           "if (!reached_ || !gate_ || held_) return;", "if (!reached_ || !gate_) return;", BRIDGE),
    Mutant("acknowledge although the store refused", "bridge/mqtt_source.cpp",
           "  refused_ = !stored;\n", "  refused_ = !stored;\n  stored = true;\n", BRIDGE),
    Mutant("acknowledge a batch before it is stored", "gateway/link/incoming.cpp",
           "  if (!ack_due_) ack_due_ = now + kSignOfLife;\n",
           "  closed_.add(number);\n  owe_ack(now, flags.urgent);\n", LINK),
    Mutant("take a batch that the store refused for stored", "gateway/link/incoming.cpp",
           "  if (!ok) {\n    refused_ = true;\n    return drop_whole();\n  }\n", "", LINK),
    Mutant("forget the settled mark", "queue/store_link.cpp",
           "  state.numbers.raise(batch.settled, &numbers);\n", "", STORE),
    Mutant("announce as settled what is not on disk yet", "gateway/link/outgoing.cpp",
           "  open_.erase(batch);\n  host_->settle(std::move(settled), std::move(numbers));\n",
           "  open_.erase(batch);\n  on_settled(numbers);\n  host_->settle(std::move(settled), std::move(numbers));\n",
           LINK),
    Mutant("use batch numbers that are not reserved on disk", "queue/store_link.cpp",
           "  sql_->batch_end.run(peer, count);\n", "", STORE),
    Mutant("use the batch numbers of the life before again", "queue/store_link.cpp",
           "  state.batch_next = row.number(3);\n", "  state.batch_next = row.number(2);\n", STORE + LINK),
    Mutant("give message numbers that are not reserved on disk", "queue/store_messages.cpp",
           "  sql_->number_end.run(peer, block.end);\n", "", STORE),
    Mutant("give the numbers of a failed transaction again", "queue/store.cpp",
           "  for (auto& [peer, block] : numbers_) block.end = block.next;\n", "  numbers_.clear();\n", STORE),
    Mutant("do not look for copies by number", "queue/store_link.cpp",
           "    if (!state.numbers.add(message.origin_number, 1, &numbers)) {",
           "    if (state.numbers.add(message.origin_number, 1, &numbers); false) {", STORE),
    Mutant("skip the history check", "gateway/link/batch.cpp",
           "  if (check_of(base, decoded.plain) != head.check) return {{}, blame};\n", "", LINK),
    Mutant("keep what is void in the receiver's history", "gateway/link/incoming.cpp",
           "  history_.remove(first, end - first);\n", "", LINK),
    Mutant("do not notice that the peer was rolled back", "gateway/link/session.cpp",
           "    must_renew_ = true;\n    return end_with(ByeReason::kShuttingDown, done.error().message);\n",
           "", LINK),
    Mutant("do not notice an old copy of a disk whose numbers are beyond all that is here", "gateway/link/lives.cpp",
           "  if (known == lives.end()) return", "  if (false) return", LINK),
    Mutant("leave it to the peer to notice an old copy of a disk", "gateway/link/outgoing.cpp",
           "if (auto went_on = remembers(lives_, peer.known_life, closed.end(), 1); !went_on) return went_on;\n",
           "", LINK),
    Mutant("forget in which life of the peer a batch came", "queue/store_link.cpp",
           "  state.batches.add(batch.number, 1, &batches);\n  state.life = batch.life;\n",
           "  state.batches.add(batch.number, 1, &batches);\n", STORE),
    Mutant("keep the history under a new incarnation", "queue/store.cpp",
           "  sql_->own_incarnation.run(peer, incarnation);\n  sql_->clear_history.run(peer, 1);\n",
           "  sql_->own_incarnation.run(peer, incarnation);\n", STORE),
    Mutant("take numbers of another life for those of this one", "queue/store_link.cpp",
           "  if (state.incarnation != batch.incarnation)\n", "  if (false)\n", STORE),
    Mutant("end what is in flight", "queue/store_messages.cpp",
           "    if (!row || row->state == State::kInFlight) continue;\n", "    if (!row) continue;\n", STORE),
    Mutant("drop without a reason in the books", "queue/store_messages.cpp",
           "  if (state == State::kDropped) ledger_->count_drop(edge, row.cls, reason);\n", "", STORE),
    Mutant("leave the books as they are when a message changes its class", "queue/store_messages.cpp",
           "  ledger_->count(row->peer == kEdge, row->cls, Book{.accepted = -1, .queued = -1});\n", "", STORE),
    Mutant("forget packets that were seen", "queue/store_messages.cpp",
           "  const bool first = db_.changes() != 0;\n", "  const bool first = true;\n", STORE),
    Mutant("keep in memory what a failed group did", "queue/store.cpp",
           "  received_.clear();\n  settled_.clear();\n", "  settled_.clear();\n", STORE),
    Mutant("tell that a failed group is committed", "queue/store_runner.cpp",
           "        answers.push_back(answer(jobs, error.what()));\n",
           "        answers.push_back(answer(jobs, \"\"));\n", STORE),
    Mutant("commit without waiting for the disk", "queue/store_open.cpp",
           'PRAGMA synchronous = FULL', 'PRAGMA synchronous = NORMAL', POWER),
    Mutant("hold emergencies back with the others", "queue/class_queue.cpp",
           "  if (!untouchable_) closed_ = closed;\n", "  closed_ = closed;\n", SCHEDULER),
    Mutant("take a sink's refusal for its acknowledgement", "bridge/mqtt_outgoing.cpp",
           "      return PublishOutcome::kRefused;\n", "      return PublishOutcome::kTaken;\n", BRIDGE),
    Mutant("take a redelivery for news", "bridge/redelivery.cpp",
           "  return copy;\n", "  return false;\n", BRIDGE),
    Mutant("lose the bytes of a session that ends", "gateway/link/peer.cpp",
           "void LinkPeer::on_closed(const std::string& why) {\n  book(true);\n",
           "void LinkPeer::on_closed(const std::string& why) {\n", LINK),
    Mutant("send an emergency from memory under a number of its own", "gateway/ingest.cpp",
           "    job->messages.push_back(std::move(message));\n",
           "    message.number = 0;\n    job->messages.push_back(std::move(message));\n", GATEWAY),
    Mutant("acknowledge what is void before the disk knows it", "gateway/link/peer_host.cpp",
           "incoming_.on_voided(first, count, done.has_value(), clock_->now());",
           "incoming_.on_voided(first, count, true, clock_->now());", LINK),
    Mutant("take a batch that the disk refused for stored", "gateway/link/peer_host.cpp",
           "incoming_.on_stored(number, received.has_value(), clock_->now());",
           "incoming_.on_stored(number, true, clock_->now());", LINK),
    Mutant("take a new life of the peer for known when the disk refused it", "gateway/link/peer_host.cpp",
           "incoming_.on_reset(done.has_value());", "incoming_.on_reset(true);", LINK),
    Mutant("forget what could not be read", "gateway/link/peer_host.cpp",
           "if (std::find(unread.begin(), unread.end(), entry.id) != unread.end()) unread_.push_back(entry);",
           "(void)entry;", LINK),
    Mutant("keep an emergency from the sinks while the disk refuses it", "gateway/link/peer_host.cpp",
           "            tell(late->second);\n", "            late->second.due.reset();\n", LINK),
    Mutant("send an emergency that left from memory once more from the disk", "gateway/link/peer_host.cpp",
           "    settle({.number = 0, .floor = 1, .plain = {}, .messages = {{stored.id, *frame_bytes}}}, {});\n",
           "    scheduler_.add(stored);\n", LINK),
    Mutant("send each copy of an SOS from memory", "gateway/lifeline.cpp",
           "copy == held_.end() ? hooks_.number() : copy->second.message.number;\n",
           "hooks_.number();\n", GATEWAY),
)
