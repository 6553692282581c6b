#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Gateway and relay are killed (SIGKILL) again and again while messages flow. Nothing that the mesh's broker has
acknowledged is lost, nothing is stored twice, and the books balance at every restart.
"""
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402

UNACKNOWLEDGED = 20  # what a relay may have given to its sink without having noted the answer


def arguments(parser):
    parser.add_argument("--kills", type=int, help="default 12, 50 with --full")
    parser.add_argument("--count", type=int, help="messages; default 500, 2000 with --full")
    parser.add_argument("--shortest", type=float, default=0.3, help="seconds between two kills, at least")
    parser.add_argument("--longest", type=float, default=3.0, help="and at most")
    parser.add_argument("--rate", type=int, default=1_000_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.025, help="seconds one way")
    parser.add_argument("--deadline", type=float, default=120, help="seconds for what is left after the last kill")


def mixture(count, seed):
    """Meshtastic packets, which have an id of their own, and plain readings, which have none, in turn."""
    packets = mesh.Mesh(seed=seed).messages((count + 1) // 2)
    readings = [mesh.Message(f"mesh/n{n % 11}/state", f'{{"door":"{"open" if n % 2 else "closed"}","n":{n}}}'.encode())
                for n in range(count // 2)]
    out = [message for pair in zip(packets, readings) for message in pair]
    return out + packets[len(readings):]


class Killer:
    """Kills one of the daemons at each given moment and starts it again at once, ready or not before the next."""

    def __init__(self, daemons, chance):
        self._daemons, self._chance = daemons, chance
        self.kills = {role: 0 for role in daemons}
        self.books_read = self.books_wrong = 0

    def run(self, gaps):
        starting = set()
        for gap in gaps:
            next_kill = time.monotonic() + gap
            while time.monotonic() < next_kill:
                self._read_books(starting)
                time.sleep(0.02)
            role = self._chance.choice(sorted(self._daemons))
            self._daemons[role].kill()
            self._daemons[role].start()
            self.kills[role] += 1
            starting.add(role)
        for role in starting:
            self._daemons[role].wait_ready()
        self._read_books(starting)

    def _read_books(self, starting):
        from lab.tulpar import balanced

        for role in sorted(starting):
            if self._daemons[role].ready():
                self.books_read += 1
                self.books_wrong += not balanced(self._daemons[role].ledger())
                starting.remove(role)


def run(args, folder, report):
    from lab.mqtt import Collector, Publisher, compare
    from lab.satlink import SatLink
    from lab.tulpar import Bench, held, until

    kills = args.kills or (50 if args.full else 12)
    messages = mixture(args.count or (2000 if args.full else 500), args.seed)
    count = len(messages)
    chance = random.Random(args.seed)
    gaps = [chance.uniform(args.shortest, args.longest) for _ in range(kills)]
    with SatLink(rate=args.rate, delay=args.delay, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate)
        bench.start_relay()
        bench.start_gateway()
        killer = Killer({"gateway": bench.gateway, "relay": bench.relay}, chance)
        with Collector(link, "net") as sink, Publisher(link, "site") as publisher:
            sender = threading.Thread(target=publisher.send_paced, args=(messages, count / sum(gaps)))
            sender.start()
            killer.run(gaps)
            sender.join()
            publisher.wait_acknowledged(count, timeout=10)
            bench.wait_drained(count, args.deadline)
            sink.wait_for(messages, args.deadline)
            until(lambda: bench.relay.ledger()["queued"] == 0, timeout=30)
            link.wait_quiet(2, timeout=30)  # late copies
        acknowledged = publisher.acknowledged()
        report.figure("kills", kills)
        report.figure("relay_kills", killer.kills["relay"])
        report.figure("acknowledged", len(acknowledged), equals=count)
        found = compare(acknowledged, sink.arrivals)
        for name in ("missing", "foreign", "torn_ids", "shared_ids"):
            report.figure(name, getattr(found, name), equals=0)
        report.figure("copies", found.copies, at_most=UNACKNOWLEDGED * killer.kills["relay"])
        report.figure("books_read", killer.books_read, at_least=1)
        report.figure("books_wrong", killer.books_wrong, equals=0)
        for role, daemon in (("gateway", bench.gateway), ("relay", bench.relay)):
            ledger = daemon.ledger()
            report.figure(f"{role}_accepted", ledger["accepted"], equals=count)
            report.figure(f"{role}_delivered", ledger["delivered"], equals=count)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
