#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A side whose state is put back to an older copy loses nothing of what it accepts from then on, however often it
starts before it meets the other again; and delivers nothing twice.

Gateway or relay: a backup, more messages, the backup restored, messages taken while the link is down over so many
lives, the link again. Like soak.py it needs a build with fail points: `./dev proof restore`.
"""
import argparse
import itertools
import pathlib
import random
import shutil
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import scenario  # noqa: E402
from proof import soak  # noqa: E402
from proof.faults import BROKER_KINDS, DAEMONS, LOSSES  # noqa: E402

LIVES = (1, 2, 3)  # from the restore until the link is up
MESSAGES, RATE = 20, 50  # in each step; a second
PATIENCE = 120


def must(done, what):
    if not done:
        raise TimeoutError(f"{what}: not within {PATIENCE} s")


class Restore:
    def __init__(self, args, folder, link):
        from proof.traffic import DOWN, UP

        self._name, self._lives, self._link, self._folder = args.restored, args.lives, link, folder
        self._soak = soak.Soak(args, folder, link)
        self._conductor, self._ends = self._soak.conductor, self._soak.ends
        self._program = getattr(self._soak.world, args.restored)
        self._way = UP if args.restored == "gateway" else DOWN
        self._first = 0
        self._complained = {}  # daemon -> complaints before the restore

    def _publish(self):
        """Returns the topics."""
        from proof import traffic

        messages = traffic.burst(self._way, "text", MESSAGES, RATE, first=self._first)
        self._first += MESSAGES
        self._ends.play(messages)
        return {message.topic for message in messages}

    def _wait(self, what, until):
        must(self._conductor.run(PATIENCE, until), what)

    def _arrivals(self):
        return [topic for topic, *_ in self._ends.subscribers[self._way].arrivals]

    def run(self):
        """(messages taken after the restore, how many of them did not arrive, how many arrivals too many)"""
        from proof.world import copy_state, restore_state

        for name in DAEMONS:
            self._conductor.start(name)
        self._wait("everybody to serve", lambda: self._conductor.settled() and self._ends.subscribed())
        early = self._publish()
        self._wait("what went before the backup", lambda: early <= set(self._arrivals()) and self._ends.drained())
        self._conductor.stop(self._name)
        copy_state(self._program, self._folder / "backup")
        self._conductor.start(self._name)
        forgotten = self._publish()
        self._wait("what the backup does not know", lambda: forgotten <= set(self._arrivals()) and self._ends.drained())
        self._conductor.stop(self._name)
        self._complained = {name: len(self._complaints(name)) for name in DAEMONS}
        restore_state(self._program, self._folder / "backup")
        self._conductor.forget_books(self._name)
        self._link.cut()
        self._conductor.start(self._name)
        late = set()
        for life in range(self._lives):
            if life:
                self._conductor.kill(self._name)
            queued = len(late)
            late |= self._publish()
            self._wait("what is taken without a link", lambda: self._conductor.settled() and self._queued() > queued)
            self._wait("all of it", lambda: self._queued() == len(late))
        self._link.mend()
        self._conductor.run(PATIENCE, lambda: late <= set(self._arrivals()))
        self._wait("a drained link", self._ends.drained)
        self._conductor.run(soak.QUIET)
        for name in DAEMONS:
            self._conductor.stop(name)  # the books are looked at
        arrivals = self._arrivals()
        return len(late), len(late - set(arrivals)), len(arrivals) - len(set(arrivals))

    def _queued(self):
        status = self._program.status()
        return sum(status[book]["queued"] for book in ("ledger", "back"))

    def _complaints(self, name):
        return getattr(self._soak.world, name).complaints()

    def findings(self):
        """Of the stores' books, and of the logs; what was lost or came twice stands beside them."""
        return [*self._conductor.findings, *(
            f"log of the {name}: {line}" for name in DAEMONS
            for line in complaints(self._complaints(name), self._complained[name]))]

    def close(self):
        self._ends.close()
        self._conductor.close()


def complaints(lines, known):
    """Those that a restore does not explain; of the first `known`, from before it, all. Afterwards the two sides
    quarrel about numbers until one of them has taken a new name."""
    return [*lines[:known], *(line for line in lines[known:] if " error: " in line)]


def cases(seed):
    """(restored daemon, starts, the gateway's broker, the link's loss) of each run."""
    broker, loss = random.Random(f"{seed} restore broker"), random.Random(f"{seed} restore loss")
    several = []
    for name in DAEMONS:
        kinds = itertools.cycle(broker.sample(BROKER_KINDS, len(BROKER_KINDS)))
        several += [(name, lives, next(kinds), loss.choice(LOSSES)) for lives in LIVES]
    return several


def once(args):
    """Returns (what came of it, findings)."""
    from lab.satlink import SatLink
    from proof.world import DELAY
    from proof.world import RATE as BITS

    folder = pathlib.Path(tempfile.mkdtemp(prefix="restore-", dir=args.binary.parent))
    findings, told = [], "did not end"
    try:
        with SatLink(rate=BITS, delay=DELAY, loss=args.loss, seed=args.seed) as link:
            restore = Restore(args, folder, link)
            try:
                taken, lost, twice = restore.run()
            finally:
                restore.close()
        told = f"{taken} taken, {lost} lost, {twice} twice"
        findings += [f"{lost} lost"] * (lost > 0) + [f"{twice} delivered twice"] * (twice > 0) + restore.findings()
    except Exception as error:
        traceback.print_exc()
        findings.append(f"{type(error).__name__}: {error}")
    if findings:
        (folder / "findings.txt").write_text("\n".join(findings) + "\n")
        print("\n".join(findings[:40]), file=sys.stderr)
        print(f"{len(findings)} findings; stores, logs, journal: {folder}", file=sys.stderr)
        print(f"again: ./dev proof restore --seed {args.seed} --restored {args.restored} --starts {args.lives}",
              file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return told, findings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the brokers' kinds and the link's losses")
    parser.add_argument("--restored", choices=DAEMONS, help="only this one")
    parser.add_argument("--starts", type=int, choices=LIVES, help="only with so many starts")
    parser.add_argument("--binary", type=pathlib.Path, default=soak.BUILD / "tulpar", help="built with fail points")
    given = parser.parse_args()
    if reason := scenario.missing(given.binary):
        print(f"restore skipped: {reason}")
        sys.exit(scenario.SKIPPED)
    print(f"figure seed {given.seed}", flush=True)
    bad = 0
    for restored, lives, broker, loss in cases(given.seed):
        if given.restored not in (None, restored) or given.starts not in (None, lives):
            continue
        told, findings = once(argparse.Namespace(seed=given.seed, restored=restored, lives=lives, broker=broker,
                                                 loss=loss, binary=given.binary.resolve()))
        bad += len(findings)
        print(f"figure {restored}_restored_{lives}_starts {told} ({broker} broker, link loss {loss:g})", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
