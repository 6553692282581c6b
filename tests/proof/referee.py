# SPDX-License-Identifier: Apache-2.0
"""The soak's judge. It stands outside: it knows what publishers handed over and had acknowledged, what both stores hold
when all is over, what the brokers' logs say, and what came out at the far ends.

Lost is judged from Tulpar's commit to the PUBACK of the sink's broker. What a killed broker forgot before or after is
listed apart, and so is what it handed to Tulpar under a second number. A way is judged once all of it is drained.
"""
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain

from .evidence import BOOK

# A managed broker keeps no log of its packets. What it has acknowledged is in its file once its loop has gone round,
# which takes 100 ms at rest, and a few seconds on a machine that has much else to do.
FORGETS_WITHIN = 5_000  # ms


@dataclass
class Sent:
    """One message as its publisher knows it. Times are boot time in ms."""

    digest: str
    handed: int
    acknowledged: int = None  # None: its broker has promised nothing


@dataclass
class Way:
    """One direction of the traffic and everything that was seen of it."""

    sent: dict  # topic -> Sent
    entry: list  # rows for the link in the store where it came in
    exit: list  # rows for the sinks in the other store
    arrivals: list  # (topic, digest, tulpar-id)
    source_log: object = None  # BrokerLog; None: a managed broker, which keeps none
    sink_log: object = None
    source_kills: list = field(default_factory=list)  # when the broker where it came in was killed
    sink_kills: list = field(default_factory=list)


@dataclass
class Judgement:
    counts: Counter = field(default_factory=Counter)
    findings: list = field(default_factory=list)  # what must not be, each in a line

    def wrong(self, kind, topic, why):
        self.counts[kind] += 1
        self.findings.append(f"{kind}: {topic}: {why}")


WRONG = ("lost", "stored_twice", "torn", "foreign", "given_up", "left_over")


def _by_topic(rows):
    found = defaultdict(list)
    for row in rows:
        found[row.topic].append(row)
    return found


def judge(way):
    result = Judgement(Counter(dict.fromkeys(WRONG, 0)))
    entries, exits, arrivals = _by_topic(way.entry), _by_topic(way.exit), defaultdict(list)
    for topic, digest, tulpar_id in way.arrivals:
        arrivals[topic].append((digest, tulpar_id))
    newest = {}  # of each node and kind: what a conflated message gave way to
    for row in way.entry:
        newest[row.node, row.kind] = max(row.id, newest.get((row.node, row.kind), 0))
    for topic in dict.fromkeys(chain(entries, exits, arrivals)):
        if topic not in way.sent:
            result.wrong("foreign", topic, "nobody published it for this way")
    for topic, sent in way.sent.items():
        result.counts["published"] += 1
        result.counts["acknowledged_by_broker"] += sent.acknowledged is not None
        # Its sender died before its disk had it; whether it went again is its broker's memory.
        early = _left_early(entries[topic], exits[topic])
        result.counts["left_before_the_disk"] += len(early)
        whole = [row for row in exits[topic] if row not in early]
        _judge_source(way, topic, sent, entries[topic], whole, result)
        _judge_link(topic, entries[topic], whole, newest, result)
        _judge_sink(way, topic, sent, exits[topic], arrivals[topic], result)
    return result


def _left_early(entry, exit_):
    """Emergencies that the far store has under a number that the near one has no row of (DESIGN.md §6)."""
    known = {row.number for row in entry}
    return [row for row in exit_ if row.left_early and row.origin[1] not in known]


def _judge_source(way, topic, sent, entry, exit_, result):
    """From the publisher's broker to Tulpar's commit."""
    if len(entry) > 1:
        result.counts["accepted"] += len(entry)
        return _judge_repeated(way, topic, entry, result)
    if entry:
        result.counts["accepted"] += 1
    elif exit_:
        result.wrong("foreign", topic, "the far store has it, the near one never did")
    elif way.source_log and way.source_log.released[topic]:
        result.wrong("lost", topic, "Tulpar acknowledged it to the broker and has not stored it")
    elif sent.acknowledged is None:
        result.counts["unanswered"] += 1
    elif _forgotten(way.source_log, way.source_kills, sent.acknowledged):
        result.counts["forgotten_by_source"] += 1
    else:
        result.wrong("lost", topic, "its broker took it and was not killed, and Tulpar does not have it")


def _judge_repeated(way, topic, entry, result):
    """The publisher sent it once. A broker that was killed may have forgotten that it delivered it, and under which
    number; if it remembers the number, Tulpar has to know it again. A packet it knows by its own id, always."""
    first, last = min(row.accepted for row in entry), max(row.accepted for row in entry)
    if entry[0].packet:
        excused = False
    elif way.source_log:
        excused = len({mid for _, mid in way.source_log.given[topic]}) >= len(entry)
    else:
        excused = any(first - FORGETS_WITHIN <= kill <= last for kill in way.source_kills)
    if excused:
        result.counts["repeated_by_source"] += len(entry) - 1
    else:
        result.wrong("stored_twice", topic, f"{len(entry)} rows where it came in")


def _forgotten(log, kills, since, within=FORGETS_WITHIN):
    """Whether a kill after that moment explains what a broker no longer knows; where it has no log, soon after."""
    return any(since - 1000 <= kill and (log or kill <= since + within) for kill in kills)


def _judge_link(topic, entry, exit_, newest, result):
    """From one store to the other."""
    delivered = 0
    for row in entry:
        if row.state in ("queued", "in flight"):
            result.wrong("left_over", topic, f"row {row.id} where it came in is {row.state}")
        elif row.state == "conflated" and row.kind and newest[row.node, row.kind] > row.id:
            result.counts["conflated"] += 1
        elif row.state != "delivered":
            result.wrong("given_up", topic, f"row {row.id} where it came in is {row.state}")
        delivered += row.state == "delivered"
    if len(exit_) < delivered:
        result.wrong("lost", topic, f"{delivered} delivered over the link, the far store has {len(exit_)}")
    if len(exit_) > delivered and entry:
        # Under way when its store died, and replaced in the next life, which cannot know that it had arrived.
        result.counts["conflated_yet_delivered"] += len(exit_) - delivered
    if len(exit_) > len(entry) > 0:
        result.wrong("stored_twice", topic, f"{len(entry)} came in, the far store has {len(exit_)}")


def _judge_sink(way, topic, sent, exit_, arrivals, result):
    """From the far store to its broker, and out."""
    for row in exit_:
        if row.state != "delivered":
            kind = "left_over" if row.state == "queued" else "given_up"
            result.wrong(kind, topic, f"row {row.id} for the sink is {row.state}")
            continue
        result.counts["delivered"] += 1
        copies = sum(1 for _, tulpar_id in arrivals if tulpar_id == row.tulpar_id)
        result.counts["arrived"] += copies > 0
        result.counts["sent_again_to_sink"] += max(copies - 1, 0)
        if copies == 0:
            _judge_not_arrived(way, topic, row, result)
    known = {row.tulpar_id for row in exit_}
    for digest, tulpar_id in arrivals:
        if tulpar_id not in known:
            result.wrong("stored_twice", topic, f"arrived under an id that no row has: {tulpar_id}")
        if digest != sent.digest:
            result.wrong("torn", topic, "arrived with another content")


def _judge_not_arrived(way, topic, row, result):
    if way.sink_log and not way.sink_log.taken[topic]:
        return result.wrong("lost", topic, f"row {row.id} counts as delivered, its broker never acknowledged it")
    # The last life of a broker is not killed: what it took, it hands on.
    killed = any(life < way.sink_log.lives - 1 for life, _ in way.sink_log.taken[topic]) if way.sink_log \
        else any(kill >= row.accepted for kill in way.sink_kills)
    if killed:
        result.counts["forgotten_by_sink"] += 1
    else:
        result.wrong("lost", topic, f"row {row.id} was acknowledged by a broker that lived on, and did not arrive")


def judge_books(books, before=None):
    """What is wrong in a store's books, in words; `before`: the same store's earlier ones."""
    wrong = [] if books.check == "ok" else [f"the file is damaged: {books.check}"]
    for place, book in books.books.items():
        name = f"{'edge' if place[0] else 'link'}, {place[1]}"
        if book["accepted"] != sum(book[figure] for figure in BOOK if figure != "accepted"):
            wrong.append(f"{name}: does not balance: {book}")
        rows = books.rows.get(place, {})
        for figure in BOOK:
            there = {"accepted": sum(rows.values()), "queued": rows.get("queued", 0) + rows.get("in flight", 0)}
            if book[figure] != there.get(figure, rows.get(figure, 0)):
                wrong.append(f"{name}: {figure} is {book[figure]} in the book, {rows} in the store")
        for figure in ("accepted", "delivered", "expired", "conflated", "dropped"):
            if before and place in before.books and book[figure] < before.books[place][figure]:
                wrong.append(f"{name}: {figure} was {before.books[place][figure]} and is {book[figure]}")
    wrong += [f"rows of {place} and no book" for place in books.rows if place not in books.books]
    wrong += [f"the book of {place} is gone" for place in (before.books if before else ()) if place not in books.books]
    return wrong


def judge_agreement(near, far, gap=0):
    """Whether what one store delivered over the link is what the other accepted from it; `gap`: what a restored
    backup no longer knows of."""
    delivered, accepted = near.total(False, "delivered"), far.total(True, "accepted")
    if delivered + gap == accepted:
        return []
    return [f"one store has delivered {delivered} over the link, the other accepted {accepted} (known gap {gap})"]
