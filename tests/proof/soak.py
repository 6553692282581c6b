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
from proof import enough, evidence, faults, figures, referee  # noqa: E402
from proof.books import judge_agreement  # noqa: E402

DEADLINE = 600  # seconds for what is left after the last fault; a backlog of minutes may wait behind a slow machine
QUIET = 3  # seconds without an arrival, after which none is expected any more


class Soak:
    def __init__(self, args, folder, link):
        from proof import conductor, ends, rehearsal, world

        self._args, self._folder, self._link = args, folder, link
        self.world = world.World(link, folder, args.binary, args.broker == "managed")
        self.conductor = conductor.Conductor(self.world, folder)
        self.world.enrol()
        for broker in faults.BROKERS:
            self.conductor.start(broker)
        self.ends = ends.Ends(self.world)
        self.rehearsal = rehearsal.Rehearsal(self.conductor, self.ends, args.restored, folder)

    def run(self):
        from proof import traffic

        seed, seconds = self._args.seed, self._args.minutes * 60
        plan = faults.schedule(seed, seconds)
        (self._folder / "schedule.json").write_text(json.dumps(faults.as_plain(plan), indent=1) + "\n")
        self.rehearsal.run()
        for name in faults.DAEMONS:
            self.conductor.next_arm[name] = faults.arms(seed, name)
            self.conductor.next_pause[name] = faults.restarts(seed, name)
        # What nodes publish at QoS 0 is safe at a managed broker only (bridge/broker_files.cpp).
        casual = {traffic.UP: traffic.QOS_0 if self._args.broker == "managed" else 0, traffic.DOWN: 0}
        for way in (traffic.UP, traffic.DOWN):
            self.ends.play(traffic.stream(seed, way, seconds, first=1000, qos_0=casual[way]))
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
            self.conductor.found(f"waited {DEADLINE} s for {what}, in vain")

    def judge(self):
        """(counts, findings)"""
        from proof.traffic import DOWN, GATEWAY, UP

        world, pardoned, kills = self.world, self.rehearsal.pardoned, self.conductor.broker_kills
        books = {name: self.conductor.stop(name) for name in faults.DAEMONS}
        self.ends.close()
        rows = {name: [row for row in evidence.read_rows(getattr(world, name).store) if row.topic not in pardoned]
                for name in faults.DAEMONS}
        # Where a source's topics bear a prefix: under what they are called behind it.
        logs = {name: evidence.read_broker_log(getattr(world, name).log.open(errors="replace"), f"down/{GATEWAY}/")
                if getattr(world, name).log else None for name in faults.BROKERS}
        counts, findings = Counter(self.conductor.counts), list(self.conductor.findings)
        for name in faults.DAEMONS:
            complaints = getattr(world, name).complaints()[self.rehearsal.complaints[name]:]
            counts["complaints"] += len(complaints)
            findings += [f"log of the {name}: {line}" for line in complaints]
        for way, near, far, source, sink in ((UP, "gateway", "relay", "site", "net"),
                                             (DOWN, "relay", "gateway", "net", "site")):
            sent = self.ends.sent(way, pardoned)
            (self._folder / f"sent-{way}.json").write_text(json.dumps({t: vars(one) for t, one in sent.items()}))
            judged = referee.judge(referee.Way(
                sent=sent, entry=[row for row in rows[near] if not row.edge],
                exit=[row for row in rows[far] if row.edge],
                arrivals=[arrival for arrival in self.ends.subscribers[way].arrivals if arrival[0] not in pardoned],
                source_log=logs[source], sink_log=logs[sink], source_kills=kills[source], sink_kills=kills[sink]))
            counts += judged.counts + Counter({f"{way}_{name}": judged.counts[name] for name in enough.FLOORS})
            counts["sessions_forgotten"] += self.ends.subscribers[way].sessions_lost
            more = judged.counts["conflated_yet_delivered"] + judged.counts["left_before_the_disk"]
            findings += [f"{way}: {line}" for line in (*judged.findings, *judge_agreement(
                books[near], books[far], self.rehearsal.gap[way] + more))]
        return counts, findings


def soak(args, folder):
    """Returns (figures, findings)."""
    from lab.satlink import SatLink
    from proof import traffic
    from proof.world import DELAY, RATE

    with SatLink(rate=RATE, delay=DELAY, loss=args.loss, seed=args.seed) as link:
        run = Soak(args, folder, link)
        try:
            run.run()
            counts, findings = run.judge()
        finally:
            run.conductor.close()
    deaths = {name: Counter(getattr(run.world, name).points("kill")) for name in faults.DAEMONS}
    passed = {point for name in faults.DAEMONS for point in getattr(run.world, name).points("pass")}
    points = set(faults.points_of((TESTS.parent / "config" / "fail_point.hpp").read_text()))
    findings += [f"the fail point {name} was never passed" for name in sorted(points - passed)]
    planned = {way: rate * args.minutes * 60 for way, rate in traffic.PER_SECOND.items()}
    findings += enough.lacking(args.minutes, counts, planned, deaths, args.restored)
    return figures.of_soak(args, counts, passed, deaths, points), findings


def once(args, prefix=""):
    """Soaks, prints and cleans up; whether all was well. `prefix`: of its figures."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"soak-{args.seed}-", dir=args.binary.parent))
    found = {}
    try:
        found, findings = soak(args, folder)
    except Exception as error:
        traceback.print_exc()
        findings = [f"{type(error).__name__}: {error}"]
    for name, value in found.items():
        print(f"figure {prefix}{name} {value}", flush=True)
    (folder / "findings.txt").write_text("\n".join(findings) + "\n")
    if findings or args.keep:
        print(*findings[:40], f"{len(findings)} findings; stores, logs, journal: {folder}",
              f"again: ./dev soak --minutes {args.minutes:g} --seed {args.seed} --broker {args.broker}", sep="\n",
              file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return not findings


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2, help="of faults; the rest takes one to ten more")
    parser.add_argument("--also", type=float, metavar="MINUTES",
                        help="a second run, of the next seed whose gateway has the other kind of broker")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--broker", choices=faults.BROKER_KINDS, help="the gateway's; default: by the seed")
    parser.add_argument("--binary", type=pathlib.Path, default=BUILD / "tulpar", help="built with fail points")
    parser.add_argument("--keep", action="store_true", help="leave the folder also when all is well")
    args = parser.parse_args(words)
    args.binary = args.binary.resolve()
    return args


def runs(args):
    """The options of each run with its setting, and the prefix of its figures."""
    def run(seed, **more):
        return argparse.Namespace(**{**vars(args), **vars(faults.setting(seed)), "seed": seed, **more})

    broker = args.broker or faults.setting(args.seed).broker
    yield run(args.seed, broker=broker), ""
    if args.also:
        yield run(faults.other_seed(args.seed, broker), minutes=args.also), "also_"


def main():
    args = arguments()
    if reason := scenario.missing(args.binary):
        print(f"soak skipped: {reason}")
        sys.exit(scenario.SKIPPED)
    sys.exit(not all(once(*one) for one in runs(args)))


if __name__ == "__main__":
    main()
