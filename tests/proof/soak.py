#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Crash soak: gateway, relay, both brokers and the link are killed, frozen, cut and healed at moments that a seed
chooses, under two-way traffic of all classes and sizes; a referee outside all of them then finds what was lost, stored
twice, or booked wrongly. See README.md; `./dev soak` builds what it needs and runs it.
"""
import argparse
import itertools
import json
import math
import pathlib
import shutil
import sys
import tempfile
import traceback
from collections import Counter

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
BUILD = TESTS.parent / "build" / "dev"
sys.path.insert(0, str(TESTS))
from lab import scenario  # noqa: E402
from proof import evidence, faults, referee  # noqa: E402

DEADLINE = 600  # seconds for what is left after the last fault; a backlog of minutes may wait behind a slow machine
QUIET = 3  # seconds without an arrival, after which none is expected any more
LOSSES = (0.0, 0.0, 0.01, 0.03)  # share of the link's packets; one a seed


class Ends:
    """Publishers and subscribers at both sides."""

    def __init__(self, world):
        from proof import clients, traffic

        self._world, self.messages = world, {way: {} for way in (traffic.UP, traffic.DOWN)}
        sides = {traffic.UP: ("site", "net"), traffic.DOWN: ("net", "site")}
        self.publishers = {way: clients.Publisher(world.link, near) for way, (near, _) in sides.items()}
        self.subscribers = {way: clients.Subscriber(world.link, far, traffic.FILTERS[way])
                            for way, (_, far) in sides.items()}

    def close(self):
        for client in (*self.publishers.values(), *self.subscribers.values()):
            client.close()

    def play(self, messages):
        """All of one way."""
        way = messages[0].way
        self.messages[way].update({message.topic: message for message in messages})
        self.publishers[way].play(messages)

    def subscribed(self):
        return all(subscriber.ready.is_set() for subscriber in self.subscribers.values())

    def arrived(self):
        return {topic for subscriber in self.subscribers.values() for topic, *_ in list(subscriber.arrivals)}

    def drained(self):
        """Whether nothing waits: at the publishers, and in the books of both stores, both ways."""
        if not all(publisher.idle() for publisher in self.publishers.values()):
            return False
        try:
            status = [self._world.gateway.status(), self._world.relay.status()]
        except (OSError, RuntimeError, ValueError):
            return False
        return not any(one[book]["queued"] for one in status for book in ("ledger", "back"))

    def sent(self, way, without):
        from proof.traffic import digest

        publisher = self.publishers[way]
        return {topic: referee.Sent(digest(self.messages[way][topic].payload), handed,
                                    publisher.acknowledged.get(topic))
                for topic, handed in publisher.handed.items() if topic not in without}


class Soak:
    def __init__(self, args, folder, link):
        from proof import conductor, rehearsal, world

        self._args, self._folder, self._link = args, folder, link
        self.world = world.World(link, folder, args.binary, args.broker == "managed")
        self.conductor = conductor.Conductor(self.world, folder)
        self.world.enrol()
        for broker in faults.BROKERS:
            self.conductor.start(broker)
        self.ends = Ends(self.world)
        self.rehearsal = rehearsal.Rehearsal(self.conductor, self.ends, args.seed, folder)

    def run(self):
        from proof import traffic

        seed, seconds = self._args.seed, self._args.minutes * 60
        plan = faults.schedule(seed, seconds)
        (self._folder / "schedule.json").write_text(json.dumps(faults.as_plain(plan), indent=1) + "\n")
        self.rehearsal.run()
        for name in faults.DAEMONS:
            self.conductor.next_arm[name] = faults.arms(seed, name)
            self.conductor.next_pause[name] = faults.restarts(seed, name)
        for way in (traffic.UP, traffic.DOWN):
            self.ends.play(traffic.stream(seed, way, seconds, first=1000))
        self.conductor.play(plan)
        for minute in range(1, 1 + math.ceil(self._args.minutes)):
            self.conductor.run(min(60, seconds - 60 * (minute - 1)))
            print(f"minute {minute}: {self.conductor.counts['kills']} kills, {len(self.conductor.findings)} findings",
                  flush=True)
        self._calm()

    def _calm(self):
        from proof import traffic

        for name in faults.DAEMONS:
            self.conductor.next_arm[name] = itertools.repeat("")
        self._wait("an end of the faults", lambda: self.conductor.settled())
        for name in faults.DAEMONS:  # unarmed from here on, and with fresh patience
            self.conductor.kill(name)
        self._wait("both to serve", self.conductor.settled)
        # Brokers hand on in order: when these are through, nothing waits in front of Tulpar any more.
        last = [message for way in (traffic.UP, traffic.DOWN)
                for message in traffic.burst(way, "state", 1, 1, first=9_000_000)]
        for message in last:
            self.ends.play([message])
        self._wait("the last messages", lambda: {message.topic for message in last} <= self.ends.arrived())
        self._wait("both stores to be drained", self.ends.drained)
        count = -1
        while count != (count := len(self.ends.subscribers[traffic.UP].arrivals)
                        + len(self.ends.subscribers[traffic.DOWN].arrivals)):
            self.conductor.run(QUIET)

    def _wait(self, what, until):
        if not self.conductor.run(DEADLINE, until):
            self.conductor.findings.append(f"waited {DEADLINE} s for {what}, in vain")

    def judge(self):
        """(counts, findings)"""
        from proof.traffic import DOWN, UP

        world, pardoned = self.world, self.rehearsal.pardoned
        books = {name: self.conductor.stop(name) for name in faults.DAEMONS}
        self.ends.close()
        rows = {name: [row for row in evidence.read_rows(getattr(world, name).store) if row.topic not in pardoned]
                for name in faults.DAEMONS}
        logs = {name: evidence.read_broker_log(getattr(world, name).log.open(errors="replace"))
                if getattr(world, name).log else None for name in faults.BROKERS}
        counts, findings = Counter(self.conductor.counts), list(self.conductor.findings)
        for name in faults.DAEMONS:
            complaints = getattr(world, name).complaints()[self.rehearsal.complaints[name]:]
            counts["complaints"] += len(complaints)
            findings += [f"log of the {name}: {line}" for line in complaints]
        for way, near, far, source, sink in ((UP, "gateway", "relay", "site", "net"),
                                             (DOWN, "relay", "gateway", "net", "site")):
            kills, sent = self.conductor.broker_kills, self.ends.sent(way, pardoned)
            (self._folder / f"sent-{way}.json").write_text(json.dumps({t: vars(one) for t, one in sent.items()}))
            judged = referee.judge(referee.Way(
                sent=sent, entry=[row for row in rows[near] if not row.edge],
                exit=[row for row in rows[far] if row.edge],
                arrivals=[arrival for arrival in self.ends.subscribers[way].arrivals if arrival[0] not in pardoned],
                source_log=by_mesh_topic(logs[source]), sink_log=logs[sink], source_kills=kills[source],
                sink_kills=kills[sink]))
            counts += judged.counts
            counts.update(dict.fromkeys(referee.WRONG, 0))
            findings += [f"{way}: {line}" for line in judged.findings]
            more = judged.counts["conflated_yet_delivered"] + judged.counts["left_before_the_disk"]
            findings += [f"{way}: {line}" for line in referee.judge_agreement(
                books[near], books[far], self.rehearsal.gap[way] + more)]
        return counts, findings


def by_mesh_topic(log):
    """Where a source's topics bear a prefix: under what they are called behind it."""
    from proof.world import GATEWAY

    if log:
        for topics in (log.given, log.released):
            for topic in [topic for topic in topics if topic.startswith(f"down/{GATEWAY}/")]:
                topics[topic.removeprefix(f"down/{GATEWAY}/")] |= topics.pop(topic)
    return log


def points(world):
    header = (TESTS.parent / "config" / "fail_point.hpp").read_text()
    names = set(faults.points_of(header))
    passed = set(world.gateway.points("pass")) | set(world.relay.points("pass"))
    killed = [(name, point) for name in faults.DAEMONS for point in set(getattr(world, name).points("kill"))]
    return names, passed, killed


def soak(args, folder):
    """Returns (figures, findings)."""
    from lab.satlink import SatLink
    from proof.world import DELAY, RATE

    loss = LOSSES[args.seed // 2 % len(LOSSES)]
    with SatLink(rate=RATE, delay=DELAY, loss=loss, seed=args.seed) as link:
        run = Soak(args, folder, link)
        try:
            run.run()
            counts, findings = run.judge()
        finally:
            run.conductor.close()
        names, passed, killed = points(run.world)
    findings += [f"the fail point {name} was never passed" for name in sorted(names - passed)]
    figures = {"seed": args.seed, "minutes": args.minutes, "broker": args.broker, "link_loss": loss}
    for name in ("kills", "gateway_kills", "relay_kills", "site_broker_kills", "net_broker_kills", "freezes", "cuts",
                 "books_read", "ledgers_read", "books_wrong", "published", "acknowledged_by_broker", "unanswered",
                 "accepted", "delivered", "conflated", "conflated_yet_delivered", "arrived", *referee.WRONG,
                 "complaints", "left_before_the_disk", "sent_again_to_sink", "forgotten_by_source",
                 "repeated_by_source", "forgotten_by_sink"):
        figures[name] = counts[name]
    figures["fail_points_passed"] = f"{len(passed)}/{len(names)}"
    figures["fail_points_died_at"] = f"{len({point for _, point in killed})}/{len(names)}"
    figures["deaths_at_fail_points"] = sum(len(getattr(run.world, name).points("kill")) for name in faults.DAEMONS)
    return figures, findings


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2, help="of faults; the rest takes one to ten more")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--broker", choices=("managed", "foreign"), help="the gateway's; default: by the seed")
    parser.add_argument("--binary", type=pathlib.Path, default=BUILD / "tulpar", help="built with fail points")
    parser.add_argument("--keep", action="store_true", help="leave the folder also when all is well")
    args = parser.parse_args()
    args.binary = args.binary.resolve()
    args.broker = args.broker or ("managed", "foreign")[args.seed % 2]
    return args


def main():
    args = arguments()
    if reason := scenario.missing(args.binary):
        print(f"soak skipped: {reason}")
        sys.exit(scenario.SKIPPED)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"soak-{args.seed}-", dir=args.binary.parent))
    figures = {}
    try:
        figures, findings = soak(args, folder)
    except Exception as error:
        traceback.print_exc()
        findings = [f"{type(error).__name__}: {error}"]
    for name, value in figures.items():
        print("figure", name, value)
    (folder / "findings.txt").write_text("\n".join(findings) + "\n")
    if findings or args.keep:
        print("\n".join(findings[:40]), file=sys.stderr)
        print(f"{len(findings)} findings; stores, logs, journal: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
