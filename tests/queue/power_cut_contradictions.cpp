// SPDX-License-Identifier: Apache-2.0
//
// The tables' agreement with each other, which no foreign key states.
#include "tests/queue/power_cut_check.hpp"

namespace tulpar::queue {
namespace {

struct Rule {
  const char* broken;  // in words
  const char* count;   // of the rows that break it
};

constexpr Rule kRules[] = {
    {"the books do not balance",
     "SELECT count(*) FROM book WHERE accepted != delivered + expired + conflated + dropped + queued"},
    {"the books count other messages than there are",
     "SELECT count(*) FROM book b WHERE queued != (SELECT count(*) FROM message m WHERE m.class = b.class AND "
     "(m.peer = 0) = b.edge AND m.state < 2)"},
    {"a queued message stands in no book",
     "SELECT count(*) FROM message m WHERE state < 2 AND NOT EXISTS (SELECT 1 FROM book b WHERE b.class = "
     "m.class "
     "AND b.edge = (m.peer = 0))"},
    {"the drops have not all a reason",
     "SELECT (SELECT coalesce(sum(dropped), 0) FROM book) != (SELECT coalesce(sum(count), 0) FROM drops)"},
    {"a message's class, node, boot or peer is not there",
     "SELECT count(*) FROM message WHERE class NOT IN (SELECT id FROM class) OR boot NOT IN (SELECT id FROM "
     "boot) "
     "OR (node != 0 AND node NOT IN (SELECT id FROM node)) OR (peer != 0 AND peer NOT IN (SELECT id FROM "
     "peer)) "
     "OR (origin != 0 AND origin NOT IN (SELECT id FROM peer))"},
    {"an unfinished message has no body",
     "SELECT count(*) FROM message WHERE state < 2 AND id NOT IN (SELECT id FROM body)"},
    {"a finished body will never be erased",
     "SELECT count(*) FROM body WHERE id NOT IN (SELECT id FROM erasure) AND "
     "NOT EXISTS (SELECT 1 FROM message m WHERE m.id = body.id AND m.state < 2)"},
    {"a body that is not there waits to be erased",
     "SELECT count(*) FROM erasure WHERE id NOT IN (SELECT id FROM body)"},
    {"in flight without a batch, or queued in one",
     "SELECT count(*) FROM message WHERE state < 2 AND (state = 1) != (batch != 0)"},
    {"a batch number was used that is not reserved",
     "SELECT count(*) FROM message m JOIN peer p ON p.id = m.peer WHERE m.batch >= p.batch_end"},
    {"two messages have one number",
     "SELECT count(*) FROM (SELECT 1 FROM message WHERE peer != 0 GROUP BY peer, number HAVING count(*) > 1)"},
    {"a message number was given that is not reserved",
     "SELECT count(*) FROM message m JOIN peer p ON p.id = m.peer WHERE m.number >= p.number_end"},
    {"a message was stored twice",
     "SELECT count(*) FROM (SELECT 1 FROM message WHERE origin_number != 0 GROUP BY origin, "
     "origin_incarnation, "
     "origin_number HAVING count(*) > 1)"},
    {"a message waits for no sink, or for one that is not there",
     "SELECT count(*) FROM message WHERE peer = 0 AND state < 2 AND "
     "(owed = 0 OR owed & ~(SELECT coalesce(sum(1 << bit), 0) FROM sink))"},
    {"known numbers overlap or touch",
     "SELECT count(*) FROM received r JOIN peer p ON p.id = r.peer WHERE r.first <= p.low OR r.end <= r.first "
     "OR "
     "EXISTS (SELECT 1 FROM received o WHERE o.peer = r.peer AND o.first > r.first AND o.first <= r.end)"},
    {"closed batches overlap or touch",
     "SELECT count(*) FROM closed c JOIN peer p ON p.id = c.peer WHERE c.first <= p.cumulative + 1 OR "
     "c.end <= c.first OR "
     "EXISTS (SELECT 1 FROM closed o WHERE o.peer = c.peer AND o.first > c.first AND o.first <= c.end)"},
    {"the history holds a batch that was not reserved",
     "SELECT count(*) FROM history h JOIN peer p ON p.id = h.peer WHERE h.outgoing = 1 AND h.batch >= "
     "p.batch_end"},
    {"bytes of a link stand under no time",
     "SELECT count(*) FROM link l WHERE wire_up != "
     "(SELECT coalesce(sum(wire_up), 0) FROM usage WHERE resolution = 0 AND link = l.id) + "
     "(SELECT coalesce(sum(wire_up), 0) FROM undated WHERE link = l.id) OR wire_down != "
     "(SELECT coalesce(sum(wire_down), 0) FROM usage WHERE resolution = 0 AND link = l.id) + "
     "(SELECT coalesce(sum(wire_down), 0) FROM undated WHERE link = l.id)"},
};

}  // namespace

std::string contradictions(Database& db) {
  for (const auto& rule : kRules)
    if (db.query_int(rule.count)) return rule.broken;
  return "";
}

}  // namespace tulpar::queue
