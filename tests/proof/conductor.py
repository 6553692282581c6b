# SPDX-License-Identifier: Apache-2.0
"""Does to the world what a schedule says, brings the dead back to life, and looks at each store in between.

On the main thread. Every death of gateway or relay is followed by a look at its file (post mortem) before it is
started again, and every start by a look at its ledger once it serves.
"""
import heapq
import itertools
import json
import pathlib
import signal
import time
from collections import Counter

from lab.tulpar import balanced

from .books import judge_books
from .clients import boot_ms
from .evidence import read_books
from .faults import BROKERS, DAEMONS

STEP = 0.02  # seconds between two looks at who lives
THOROUGH = 10  # every so many deaths of a daemon; indices are compared with their tables, and an hour has many deaths


class Conductor:
    def __init__(self, world, folder):
        self.world, self.counts, self.findings = world, Counter(), []
        self.broker_kills = {name: [] for name in BROKERS}  # boot time, ms
        self.deaths = {name: [] for name in DAEMONS}  # the fail points that it was seen to die at
        self._journal = open(pathlib.Path(folder, "journal.jsonl"), "w")
        self._due, self._order = [], itertools.count()
        self._running, self._unread = set(), set()  # daemons that should run; those whose ledger is to be read
        self._frozen = set()
        self._cuts, self._books = 0, {}
        self.next_arm = dict.fromkeys(DAEMONS, itertools.repeat(""))
        self.next_pause = dict.fromkeys(DAEMONS, itertools.repeat(0.2))

    def close(self):
        self._journal.close()

    def note(self, what, whom, **more):
        self._journal.write(json.dumps({"ms": boot_ms(), "what": what, "whom": whom, **more}) + "\n")
        self._journal.flush()

    def found(self, what):
        self.findings.append(what)
        self.note("found", what)
        print(f"found: {what}", flush=True)

    def later(self, seconds, do, *arguments):
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), do, arguments))

    def play(self, faults):
        for fault in faults:
            self.later(fault.at, getattr(self, fault.what), fault.whom, fault.seconds)

    def run(self, seconds=0.0, until=None):
        """For so long, or until that is true; returns whether it is."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._turn()
            if until and until():
                return True
            time.sleep(STEP)
        return until is None

    def start(self, name):
        one = getattr(self.world, name)
        if name not in DAEMONS:
            self.note("start", name)
            return one.start()
        arm = next(self.next_arm[name])
        self.note("start", name, arm=arm)
        one.start(arm)
        self._running.add(name)
        self._unread.add(name)
        self.counts["starts"] += 1

    def stop(self, name):
        """As systemd would; a look at the store follows."""
        self._running.discard(name)
        code = getattr(self.world, name).stop(timeout=30)
        if code != 0:
            self.found(f"{name} ended with {code} when it was asked to stop")
        return self.post_mortem(name, thorough=True)

    def post_mortem(self, name, thorough):
        books = read_books(getattr(self.world, name).store, thorough)
        self.counts["books_read"] += 1
        self.counts["files_compared"] += thorough
        if wrong := judge_books(books, self._books.get(name)):
            self.counts["books_wrong"] += 1
            self.note("books", name, wrong=wrong)
            for line in wrong:
                self.found(f"books of the {name}: {line}")
        self._books[name] = books
        return books

    def forget_books(self, name):
        """Its state is another's: what it counted before means nothing."""
        self._books.pop(name, None)

    def all_ready(self):
        return not self._unread and self._running == set(DAEMONS)

    def settled(self):
        """Everybody serves, and nothing is planned any more."""
        return not self._due and self.all_ready()

    def _turn(self):
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, do, arguments = heapq.heappop(self._due)
            do(*arguments)
        for name in sorted(self._running):
            if (code := getattr(self.world, name).ended()) is not None:
                self._found_dead(name, code)
            elif name in self._unread - self._frozen:
                self._read_ledger(name)

    def _found_dead(self, name, code):
        """Nobody killed it from outside."""
        points = getattr(self.world, name).points("kill")
        if code == -signal.SIGKILL and len(points) > self.counts[f"{name}_died_at_points"]:
            self.counts[f"{name}_died_at_points"] = len(points)
            self.deaths[name].append(points[-1])
            self._died(name, next(self.next_pause[name]), at=points[-1])
        else:
            self.found(f"the {name} ended by itself, with {code}")
            self._died(name, 1.0, code=code)

    def _died(self, name, pause, **how):
        self._running.discard(name)
        self._unread.discard(name)
        self._frozen.discard(name)
        self.counts["kills"] += 1
        self.counts[f"{name}_kills"] += 1
        self.note("dead", name, **how)
        self.post_mortem(name, thorough=self.counts[f"{name}_kills"] % THOROUGH == 0)
        self.later(pause, self.start, name)

    def _read_ledger(self, name):
        program = getattr(self.world, name)
        try:
            if not program.ready():
                return
            ledger = program.ledger()
        except (OSError, RuntimeError, ValueError):  # frozen or dead by now: the next turn sees it
            return
        self._unread.discard(name)
        self.counts["ledgers_read"] += 1
        if not balanced(ledger):
            self.counts["books_wrong"] += 1
            self.found(f"ledger of the {name}: {ledger}")

    def kill(self, name, pause=0.0):
        one = getattr(self.world, name)
        if name in DAEMONS:
            if name in self._running and one.ended() is None:
                one.kill()
                self._died(name, pause)
            return
        if one.ended() is not None:
            return
        self.broker_kills[name].append(boot_ms())
        one.kill()
        self.counts["kills"] += 1
        self.counts[f"{name}_broker_kills"] += 1
        self.note("dead", name)
        self.later(pause, self.start, name)

    def freeze(self, name, seconds):
        one = getattr(self.world, name)
        if name in DAEMONS and name not in self._running:
            return
        one.signal(signal.SIGSTOP)
        self._frozen.add(name)
        self.counts["freezes"] += 1
        self.note("freeze", name, seconds=seconds)
        self.later(seconds, self._thaw, name)

    def _thaw(self, name):
        self._frozen.discard(name)
        if name in BROKERS or name in self._running:
            getattr(self.world, name).signal(signal.SIGCONT)

    def cut(self, _name, seconds):
        self._cuts += 1
        self.counts["cuts"] += 1
        self.world.link.cut()
        self.note("cut", "link", seconds=seconds)
        self.later(seconds, self._heal)

    def _heal(self):
        self._cuts -= 1
        if self._cuts == 0:
            self.world.link.mend()
