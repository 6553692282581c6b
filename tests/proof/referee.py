# SPDX-License-Identifier: Apache-2.0
"""The soak's judge. It stands outside: it knows what publishers handed over and had acknowledged, what both stores hold
when all is over, what the brokers' logs say, and what came out at the far ends.

Lost is judged from Tulpar's commit to the PUBACK of the sink's broker. What a killed broker forgot before or after is
listed apart, and so is what it handed to Tulpar under a second number. A way is judged once all of it is drained.
"""
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain

# A managed broker keeps no log of its packets. It writes its file at the end of each round of its loop that changed
# something (autosave_on_changes, autosave_interval 1), so a kill takes what it acknowledged in that round: 100 ms at
# rest, and as long as it was frozen in the middle of one. When a sink's PUBACK came is known to the commit that noted
# it, which a stalled disk holds up as long.
FORGETS_WITHIN = 5_000  # ms
# What kills may be blamed for. A round of a broker holds a message or two; an hour's kills then come to a few in a
# thousand. More is somebody else's doing.
EXCUSED, EXCUSED_SHARE = 3, 0.005  # so many, and that share more, each way


@dataclass
class Sent:
    """One message as its publisher knows it. Times are boot time in ms."""

    digest: str
    handed: int
    acknowledged: int = None  # None: its broker has promised nothing
    qos: int = 1  # at 0 there is no PUBACK: `acknowledged` is a later message's on the same connection


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


WRONG = ("lost", "stored_twice", "torn", "foreign", "given_up", "left_over", "excused_too_often")


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
        result.counts["published_at_qos_0"] += sent.qos == 0
        result.counts["acknowledged_by_broker"] += sent.acknowledged is not None
        # Its sender died before its disk had it; whether it went again is its broker's memory.
        early = _left_early(entries[topic], exits[topic])
        result.counts["left_before_the_disk"] += len(early)
        whole = [row for row in exits[topic] if row not in early]
        _judge_source(way, topic, sent, entries[topic], whole, result)
        _judge_link(topic, entries[topic], whole, newest, result)
        _judge_sink(way, topic, sent, exits[topic], arrivals[topic], result)
    _judge_excuses(result)
    return result


def _judge_excuses(result):
    """A kill explains a few messages; a defect that hides behind the kills comes to more."""
    for excuse, whole in (("forgotten_by_source", "acknowledged_by_broker"), ("repeated_by_source", "accepted"),
                          ("forgotten_by_sink", "delivered")):
        count, of = result.counts[excuse], result.counts[whole]
        if count > EXCUSED + EXCUSED_SHARE * of:
            result.wrong("excused_too_often", excuse, f"{count} of {of}")


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
        result.counts["unanswered" if sent.qos else "unanswered_at_qos_0"] += 1
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
        else any(abs(kill - row.finished) <= FORGETS_WITHIN for kill in way.sink_kills)
    if killed:
        result.counts["forgotten_by_sink"] += 1
    else:
        result.wrong("lost", topic, f"row {row.id} was acknowledged by a broker that lived on, and did not arrive")
