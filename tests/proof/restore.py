#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A side whose state is put back to an older copy loses nothing of what it accepts from then on, however often it
starts before it meets the other again; and delivers nothing twice.

Gateway or relay: a backup, more messages, the backup restored, messages taken while the link is down over so many
lives, the link again. Like soak.py it needs a build with fail points: `./dev proof restore`.
"""
import argparse
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import scenario  # noqa: E402
from proof import soak  # noqa: E402
from proof.faults import DAEMONS  # noqa: E402

LIVES = (1, 2, 3)  # from the restore until the link is up
MESSAGES, RATE = 20, 50  # in each step; a second
PATIENCE = 120


def must(done, what):
    if not done:
        raise TimeoutError(f"{what}: not within {PATIENCE} s")


class Restore:
    def __init__(self, args, folder, link):
        from proof.traffic import DOWN, UP

        self._name, self._lives, self._link, self._folder = args.name, args.lives, link, folder
        self._soak = soak.Soak(args, folder, link)
        self._conductor, self._ends = self._soak.conductor, self._soak.ends
        self._program = getattr(self._soak.world, args.name)
        self._way = UP if args.name == "gateway" else DOWN
        self._first = 0

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
        arrivals = self._arrivals()
        return len(late), len(late - set(arrivals)), len(arrivals) - len(set(arrivals))

    def _queued(self):
        status = self._program.status()
        return sum(status[book]["queued"] for book in ("ledger", "back"))

    def close(self):
        self._ends.close()
        self._conductor.close()


def once(binary, name, lives):
    from lab.satlink import SatLink
    from proof.world import DELAY
    from proof.world import RATE as BITS

    folder = pathlib.Path(tempfile.mkdtemp(prefix="restore-", dir=binary.parent))
    args = argparse.Namespace(name=name, lives=lives, seed=1, binary=binary, broker="foreign")
    with SatLink(rate=BITS, delay=DELAY) as link:
        restore = Restore(args, folder, link)
        try:
            taken, lost, twice = restore.run()
        finally:
            restore.close()
    shutil.rmtree(folder)
    return taken, lost, twice


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=soak.BUILD / "tulpar", help="built with fail points")
    args = parser.parse_args()
    if reason := scenario.missing(args.binary):
        print(f"restore skipped: {reason}")
        sys.exit(scenario.SKIPPED)
    bad = 0
    for name in DAEMONS:
        for lives in LIVES:
            taken, lost, twice = once(args.binary.resolve(), name, lives)
            bad += lost + twice
            print(f"figure {name}_restored_{lives}_starts {taken} taken, {lost} lost, {twice} twice", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
