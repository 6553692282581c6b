# SPDX-License-Identifier: Apache-2.0
"""What is left behind and can be read when a process is dead: a store's file, and the log of a broker.

Reading changes nothing of a store's content; nobody may be running on it.
"""
import contextlib
import re
import sqlite3
import time
from collections import defaultdict
from dataclasses import dataclass, field

STATES = ("queued", "in flight", "delivered", "expired", "conflated", "dropped")  # queue/message.hpp, State
NUMBER_BLOCK, NUMBERS_ASIDE = 65_536, 256  # queue/message_numbers.hpp
BOOK = ("accepted", "delivered", "expired", "conflated", "dropped", "queued")


@dataclass(frozen=True)
class Row:
    """A message in a store. `edge`: towards the sinks there, else over the link. Names as in the schema."""

    id: int
    edge: bool
    topic: str
    state: str
    accepted: int  # boot time, ms
    finished: int = 0  # likewise; 0: it is not, or nobody knows when
    cls: str = ""
    number: int = 0
    node: int = 0
    kind: int = 0
    packet: int = 0
    origin: tuple = (0, 0)  # incarnation and number, where it came over the link

    @property
    def left_early(self):
        """An emergency that left its sender's memory before the disk there had it, under a number set aside."""
        return self.cls == "emergency" and self.origin[1] % NUMBER_BLOCK >= NUMBER_BLOCK - NUMBERS_ASIDE

    @property
    def tulpar_id(self):
        incarnation, number = self.origin
        return f"{incarnation:016x}-{number if incarnation else self.id}"


@dataclass
class Books:
    """A store's books, and what they are about; by (edge, class)."""

    check: str = "ok"  # SQLite's own
    books: dict = field(default_factory=dict)  # (edge, class) -> {figure: count}
    rows: dict = field(default_factory=dict)  # (edge, class) -> {state: count}

    def total(self, edge, figure):
        return sum(book[figure] for (at_edge, _), book in self.books.items() if at_edge == edge)


@contextlib.contextmanager
def _opened(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        yield db


def read_books(path, thorough=False):
    """`thorough`: compares each index with its table too, which takes as long as the file is large."""
    found = Books()
    with _opened(path) as db:
        if not db.execute("PRAGMA user_version").fetchone()[0]:
            return found  # it died in its first migration
        check = "integrity_check" if thorough else "quick_check"
        found.check = db.execute(f"PRAGMA {check}(1)").fetchone()[0]
        columns = ", ".join(BOOK)
        for edge, cls, *figures in db.execute(
                f"SELECT edge, class.name, {columns} FROM book JOIN class ON class.id = book.class"):
            found.books[bool(edge), cls] = dict(zip(BOOK, figures))
        for edge, cls, state, count in db.execute(
                "SELECT peer = 0, class.name, state, count(*) FROM message JOIN class ON class.id = message.class "
                "GROUP BY peer = 0, message.class, state"):
            found.rows.setdefault((bool(edge), cls), {})[STATES[state]] = count
    return found


def read_rows(path):
    # Stores keep the end of a message by the wall clock alone.
    booted = (time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) // 1_000_000
    with _opened(path) as db:
        return [Row(id=id, edge=bool(edge), topic=topic, state=STATES[state], accepted=accepted,
                    finished=finished - booted if finished else 0, cls=cls, number=number, node=node, kind=kind,
                    packet=packet, origin=(incarnation, origin))
                for (id, edge, topic, state, accepted, finished, cls, number, node, kind, packet, incarnation,
                     origin) in db.execute(
                    "SELECT message.id, peer = 0, topic, state, accepted_boot, finished_wall, class.name, number, "
                    "node, kind, packet, origin_incarnation, origin_number FROM message "
                    "JOIN class ON class.id = message.class ORDER BY message.id")]


@dataclass
class BrokerLog:
    """What a mosquitto that logs all says of its dealings with Tulpar: by topic, the lives of the broker (from 0) and
    the packets' numbers in them."""

    lives: int = 0
    taken: dict = field(default_factory=lambda: defaultdict(set))  # PUBLISH from Tulpar that got its PUBACK
    given: dict = field(default_factory=lambda: defaultdict(set))  # PUBLISH to Tulpar
    released: dict = field(default_factory=lambda: defaultdict(set))  # of these, those with Tulpar's PUBACK


_START = re.compile(r"mosquitto version \S+ starting")
_PUBLISH = re.compile(r"(Received|Sending) PUBLISH (?:from|to) (\S+) \(d\d, q1, r\d, m(\d+), '([^']*)'")
_PUBACK = re.compile(r"(Received|Sending) PUBACK (?:from|to) (\S+) \((?:m|Mid: )(\d+),")


def read_broker_log(lines, prefix="", client="tulpar-"):
    """Topics are told without that prefix."""
    log, open_packets = BrokerLog(), {}
    for line in lines:
        if found := _PUBLISH.search(line):
            way, name, mid, topic = found.groups()
            if not name.startswith(client):
                continue
            topic = topic.removeprefix(prefix)
            open_packets[way, name, mid] = topic
            if way == "Sending":
                log.given[topic].add((log.lives - 1, int(mid)))
        elif found := _PUBACK.search(line):
            way, name, mid = found.groups()
            topic = open_packets.pop(({"Received": "Sending", "Sending": "Received"}[way], name, mid), None)
            if topic is not None:
                (log.taken if way == "Sending" else log.released)[topic].add((log.lives - 1, int(mid)))
        elif _START.search(line):
            log.lives += 1
            open_packets.clear()
    return log
