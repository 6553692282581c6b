# SPDX-License-Identifier: Apache-2.0
"""What goes before the soak's chaos: the moments that come once in a store's life, each with a death in it.

First contact, with a death in both sides' migrations and resets; a burst of batches until more numbers are reserved;
and a restored backup, whose side has to take a new name. What goes over the link between backup and restore is known to
one side only afterwards; it is judged here, by its arrival.
"""
import itertools
import pathlib

from . import traffic
from .evidence import read_books
from .faults import DAEMONS, FIRST_LIVES, RENEWAL
from .traffic import DOWN, UP
from .world import copy_state, restore_state

BURST, BURST_RATE = 300, 50  # more batches than are reserved at a time, and messages a second
BETWEEN = 20  # messages each way between backup and restore
PATIENCE = 120  # seconds, for each step, on a machine that is busy with much else


def killed_at(points):
    return itertools.chain((f"{point}:1=kill" for point in points), itertools.repeat(""))


def must(done, what):
    if not done:
        raise TimeoutError(f"{what}: not within {PATIENCE} s")


class Rehearsal:
    def __init__(self, conductor, ends, restored, folder):
        """`ends`: the outside ones, by way; see ends.py. `restored`: the daemon that gets a backup back."""
        self._conductor, self._ends, self._folder = conductor, ends, pathlib.Path(folder)
        self._world = conductor.world
        self._restored = restored
        self.pardoned = set()  # topics that are judged here
        self.gap = {}  # way -> what the near side's books lack against the far side's
        self.complaints = {}  # name -> how many there were, for what is restored is quarrelled about

    def run(self):
        self._first_contact()
        self._burst()
        self._restore()
        self.complaints = {name: len(getattr(self._world, name).complaints()) for name in DAEMONS}

    def _first_contact(self):
        for name in DAEMONS:
            self._conductor.next_arm[name] = killed_at(FIRST_LIVES)
            self._conductor.start(name)
        must(self._conductor.run(PATIENCE, lambda: self._conductor.settled() and all(
            set(FIRST_LIVES) <= set(self._conductor.deaths[name]) for name in DAEMONS)), "first contact")
        must(self._conductor.run(PATIENCE, self._ends.subscribed), "subscribers at their brokers")

    def _burst(self):
        self._conductor.next_arm["gateway"] = killed_at(["link.reserved"])
        self._conductor.kill("gateway")
        must(self._conductor.run(PATIENCE, self._conductor.settled), "a gateway that serves")
        self._ends.play(traffic.burst(UP, "text", BURST, BURST_RATE, first=0))
        self._drain()
        if "link.reserved" not in self._conductor.deaths["gateway"]:
            self._conductor.found(f"{BURST} messages at {BURST_RATE} a second reserved no batch numbers")

    def _restore(self):
        name, backup = self._restored, self._folder / "backup"
        program = getattr(self._world, name)
        self._conductor.stop(name)
        copy_state(program, backup)
        self._conductor.start(name)
        for way in (UP, DOWN):
            messages = traffic.burst(way, "text", BETWEEN, BURST_RATE, first=BURST)
            self.pardoned |= {message.topic for message in messages}
            self._ends.play(messages)
        self._drain()
        must(self._conductor.run(PATIENCE, lambda: self.pardoned <= self._ends.arrived()), "what went before a restore")
        before, after = self._conductor.stop(name), read_books(backup / program.store.name)
        delivered = before.total(False, "delivered") - after.total(False, "delivered")
        accepted = before.total(True, "accepted") - after.total(True, "accepted")
        sends, receives = (UP, DOWN) if name == "gateway" else (DOWN, UP)
        self.gap = {sends: delivered, receives: -accepted}
        # Twice: the first life after a restore is the one that is sure to notice.
        for point in RENEWAL:
            if program.ended() is None:
                self._conductor.stop(name)
            restore_state(program, backup)
            self._conductor.forget_books(name)
            self._conductor.next_arm[name] = killed_at([point])
            self._conductor.start(name)
            must(self._conductor.run(PATIENCE, lambda: self._conductor.settled()
                                     and point in self._conductor.deaths[name]),
                 f"a new name for the restored {name}")

    def _drain(self):
        must(self._conductor.run(PATIENCE, lambda: self._conductor.settled() and self._ends.drained()), "drained")
