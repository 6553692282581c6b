# SPDX-License-Identifier: Apache-2.0
"""What the soak does to the programs and when, all of it from a seed: the schedule of faults, and the fail points with
which each life of gateway and relay begins.

A schedule does not know what happens meanwhile: who is dead already when its turn comes is not killed again.
"""
import dataclasses
import itertools
import random
import re
from dataclasses import dataclass

DAEMONS, BROKERS = ("gateway", "relay"), ("site", "net")
GAP = (0.5, 3.7)  # seconds between two faults
# Fault, victim, share, and the seconds from and to: until it is started again, thawed, healed.
FAULTS = [("kill", "gateway", 30, 0, 1.5), ("kill", "relay", 30, 0, 1.5), ("kill", "site", 12, 0, 2),
          ("kill", "net", 12, 0, 2), ("freeze", "gateway", 3, 0.1, 5), ("freeze", "relay", 3, 0.1, 5),
          ("freeze", "site", 3, 0.1, 5), ("freeze", "net", 3, 0.1, 5), ("cut", "link", 10, 0.3, 6)]
# Up to which passing a fail point is armed; most are passed a few times a second.
REACH = {"ingest.read": 30, "ingest.committed": 30, "mqtt.written": 60, "store.commit": 60, "store.committed": 60,
         "link.begin": 20, "link.receive": 20, "link.received": 20, "link.settle": 20, "link.settled": 20,
         "sink.acknowledged": 20, "sink.noted": 20, "store.batches": 1, "store.numbers": 1, "store.tidy": 1,
         "store.checkpoint": 1, "store.checkpointed": 1, "link.void": 1, "link.voided": 1}
# What fewer than half of a daemon's lives pass, since half as much comes down as goes up, or since it takes a quarrel
# about numbers: armed for an early passing, and twice a turn.
FAINT = {"gateway": ("link.receive", "link.received", "link.void", "link.voided", "sink.acknowledged", "sink.noted"),
         "relay": ("link.begin", "link.settle", "link.settled", "link.void", "link.voided")}
FAINT_REACH = 3
# Passed only where a store is new, or older than what it said, or after hundreds of batches: see rehearsal.py.
FIRST_LIVES = ("store.migrate", "store.migrated", "link.reset", "link.was_reset")
RENEWAL = ("link.renew", "link.renewed")
REHEARSED = (*FIRST_LIVES, *RENEWAL, "link.reserved")
ARMED = 0.6  # share of the lives
RESTART = (0.0, 1.0)  # seconds from a death at a fail point to the next life


BROKER_KINDS = ("managed", "foreign")
LOSSES = (0.0, 0.0, 0.01, 0.03)  # share of the link's packets


@dataclass(frozen=True)
class Setting:
    """What holds from the beginning to the end of a run."""

    broker: str  # the gateway's
    restored: str  # the daemon that gets a backup back
    loss: float


def setting(seed):
    """Each from a stream of its own, so that every combination comes up."""
    chosen = {name: random.Random(f"{seed} {name}").choice(among) for name, among in (
        ("broker", BROKER_KINDS), ("restored", DAEMONS), ("loss", LOSSES))}
    return Setting(**chosen)


def other_seed(seed, broker):
    """The next one whose gateway has a broker of the other kind."""
    return next(later for later in itertools.count(seed + 1) if setting(later).broker != broker)


def mortal(restored):
    """The fail points at which each daemon has to die: in the chaos all that are armed there, and what is rehearsed."""
    rehearsed = {"gateway": ("link.reserved",), "relay": ()}
    return {name: {*REACH, *FIRST_LIVES, *rehearsed[name], *(RENEWAL if name == restored else ())} for name in DAEMONS}


@dataclass(frozen=True)
class Fault:
    at: float  # seconds from the begin
    what: str
    whom: str
    seconds: float


def schedule(seed, seconds):
    r = random.Random(f"{seed} faults")
    faults, at = [], 0.0
    while (at := at + r.uniform(*GAP)) < seconds:
        what, whom, _, least, most = r.choices(FAULTS, [share for _, _, share, *_ in FAULTS])[0]
        faults.append(Fault(round(at, 3), what, whom, round(r.uniform(least, most), 3)))
    return faults


def arms(seed, role):
    """Endless: what TULPAR_FAIL says in each further life, "" where it is not armed. Every point has its turn before
    one comes again."""
    r = random.Random(f"{seed} arms {role}")
    while True:
        deck = sorted([*REACH, *FAINT[role]])
        r.shuffle(deck)
        while deck:
            if r.random() >= ARMED:
                yield ""
                continue
            point = deck.pop()
            reach = min(REACH[point], FAINT_REACH) if point in FAINT[role] else REACH[point]
            yield _rules(r, point, reach)


def _rules(r, point, reach):
    """Death, or a stall, or a stall and then death: where the writer's thread hangs before its COMMIT, whatever says
    too early that something is on disk has the time to be heard."""
    passing = f"{point}:{r.randint(1, reach)}"
    match r.choices(("kill", "stall", "both"), (50, 20, 30))[0]:
        case "kill":
            return f"{passing}=kill"
        case "stall":
            return f"{passing}={r.randrange(100, 3000)}"
    return f"{passing}={r.randrange(300, 1000)},{passing}=kill"


def restarts(seed, role):
    r = random.Random(f"{seed} restarts {role}")
    while True:
        yield r.uniform(*RESTART)


def as_plain(faults):
    return [dataclasses.asdict(fault) for fault in faults]


def points_of(header):
    """The names in the table of config/fail_point.hpp."""
    table = header[header.index("kFailPoints ="):]
    return re.findall(r'^ +"([a-z._]+)",', table[:table.index("});")], re.MULTILINE)
