#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, read-only, slow, or reports errors, at the gateway and at the relay, at random moments.

While messages go both ways: /healthz and the status say what is wrong, nothing ends, the page answers in a second, an
SOS arrives while the fault lasts; after it all is well within a minute without a restart, and nothing that the brokers
took is lost. At the end the gateway starts on a disk that is really full.
"""
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402
from lab.disk_fault import FAULTS, DiskFault  # noqa: E402

# What an operator reads; nothing: this fault is no failure, or is met only by chance.
SAID = {"full": "no space left", "no growth": None, "read-only": "read-only", "write error": "Input/output error",
        "sync error": "Input/output error", "read error": None, "slow": None}
NODES = 64  # that cry for help, each once
SLOW = FAULTS["slow"][2] / 1000 * 0.9  # seconds; the page is asked now and then


def arguments(parser):
    library = os.environ.get("TULPAR_DISK_FAULT_LIBRARY",
                             pathlib.Path(__file__).resolve().parents[2] / "build/tests/scenario/libdisk_fault.so")
    parser.add_argument("--library", type=pathlib.Path, default=pathlib.Path(library))
    parser.add_argument("--rounds", type=int, help="of all faults on both sides; default 1, 3 with --full")
    parser.add_argument("--faults", default=",".join(FAULTS), help="which, separated by commas")
    parser.add_argument("--hold", type=float, default=6, help="seconds that a fault lasts")
    parser.add_argument("--rate", type=int, default=1_000_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.1, help="seconds one way")
    parser.add_argument("--page", type=float, default=1.0, help="limit in seconds for an answer of the page")
    parser.add_argument("--sos", type=float, default=5.0, help="limit in seconds for an SOS during a fault")


def told(words, said):
    """True, or what was said instead."""
    return said in words or words


def label_of(role, name):
    return f"{role} {name}".replace(" ", "_").replace("-", "_")


class Traffic:
    """Publishes at a steady pace until it is stopped."""

    def __init__(self, publisher, messages, pace):
        self.sent = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(publisher, messages, pace), daemon=True)
        self._thread.start()

    def _run(self, publisher, messages, pace):
        for message in messages:
            if self._stop.wait(1 / pace):
                return
            publisher.send(message)
            self.sent.append(message)

    def end(self):
        self._stop.set()
        self._thread.join()


class Page:
    """Asks for a daemon's status again and again, as an open page does."""

    def __init__(self, daemon):
        self.slowest = 0.0
        self.refused = 0
        self.standstill = 0.0  # the most seconds in which nothing was committed that came in
        self._daemon = daemon
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        accepted, since = None, time.monotonic()
        while not self._stop.wait(0.1):
            begin = time.monotonic()
            try:
                status = self._daemon.status()
                now = status["ledger"]["accepted"] + status["back"]["accepted"]
                self.standstill = max(self.standstill, begin - since)
                if now != accepted:
                    accepted, since = now, begin
            except (OSError, RuntimeError):
                self.refused += 1
            self.slowest = max(self.slowest, time.monotonic() - begin)

    def end(self):
        self._stop.set()
        self._thread.join()


def upward(seed):
    """Packets and plain readings, for as long as anyone asks."""
    packets = iter(mesh.Mesh(seed=seed).messages(20_000))
    for n in range(20_000):
        yield next(packets)
        yield mesh.Message(f"mesh/n{n % 11}/state", f'{{"n":{n}}}'.encode())


def downward(gateway):
    return (mesh.Message(f"down/{gateway}/mesh/n{n % 7}/reply", f'{{"reply":{n}}}'.encode()) for n in range(20_000))


class Trial:
    """The bench under traffic, and what came out of each fault."""

    def __init__(self, args, bench, disks, ends, report):
        self._args, self._bench, self._disks, self._report = args, bench, disks, report
        self._sink, self._nodes = ends
        self._chance = random.Random(args.seed)
        self.sos_sent, self.greetings = [], [mesh.Message(f"mesh/n{100 + n}/state", b"here") for n in range(NODES)]
        self.met = Counter()  # (role, fault) -> errors that the daemon logged meanwhile

    def greet(self):
        """Each node is heard before it cries for help: of strangers only so many may."""
        for message in self.greetings:
            self._nodes.send(message)
        self._sink.wait_for(self.greetings, 60)

    def fault(self, role, name):
        from lab.tulpar import until

        daemon, disk, report = getattr(self._bench, role), self._disks[role], self._report
        label = label_of(role, name)
        time.sleep(self._chance.uniform(0.2, 1.5))
        page, errors = Page(daemon), self._errors(role)
        disk.set(name)
        begin = time.monotonic()
        took = self._send_sos()
        report.figure(f"{label}_sos_s", took, at_most=self._args.sos)
        said = SAID[name]
        if said:
            until(lambda: said in daemon.unhealthy(), self._args.hold)
            report.figure(f"{label}_healthz", told(daemon.unhealthy(), said), equals=True)
            status = daemon.status()
            report.figure(f"{label}_verdict", told(status["verdict"]["text"], said) or status["store"]["ok"], equals=True)
        time.sleep(max(0.0, begin + self._args.hold - time.monotonic()))
        disk.clear()
        page.end()
        self.met[role, name] += self._errors(role) - errors
        cleared = time.monotonic()
        healed = until(lambda: daemon.alive() and not daemon.unhealthy(), 60)
        report.figure(f"{label}_alive", bool(healed), equals=True)
        report.figure(f"{label}_healed_s", time.monotonic() - cleared, at_most=60)
        report.figure(f"{label}_page_s", page.slowest, at_most=self._args.page)
        report.figure(f"{label}_page_refused", page.refused, equals=0)
        if name == "slow":  # nothing says so: it is met where a commit takes as long as the disk does
            report.figure(f"{label}_standstill_s", page.standstill, at_least=SLOW)

    def _errors(self, role):
        return (self._bench.folder / f"{role}.log").read_text(errors="replace").count(" error: ")

    def _send_sos(self, patience=30):
        message = mesh.Message(f"mesh/n{100 + len(self.sos_sent)}/sos", f"SOS {len(self.sos_sent)}".encode())
        self.sos_sent.append(message)
        at = self._nodes.send(message).at
        if not self._sink.wait_for([message], patience):
            return float("inf")
        return next(a.at for a in self._sink.arrivals if a.key == (message.topic, message.payload)) - at

    def full_start(self):
        """The gateway starts on a disk without a free byte, and works with what its ballast held."""
        gateway, report = self._bench.gateway, self._report
        report.figure("full_start_stopped", gateway.stop(), equals=0)
        fill = gateway.state / "others"
        with open(fill, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        begin = time.monotonic()
        gateway.start()
        gateway.wait_ready()
        report.figure("full_start_ready_s", time.monotonic() - begin, at_most=30)
        report.figure("full_start_sos_s", self._send_sos(), at_most=30)
        fill.unlink()


def run(args, folder, report):
    from lab.mqtt import Collector, Publisher, compare
    from lab.satlink import SatLink
    from lab.tulpar import GATEWAY, Bench, balanced, held, until

    with SatLink(rate=args.rate, delay=args.delay, seed=args.seed) as link, contextlib.ExitStack() as stack:
        bench = Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate)
        mount_small_disk(stack, bench.gateway.state)
        disks = {}
        for role, daemon in (("gateway", bench.gateway), ("relay", bench.relay)):
            disks[role] = DiskFault(args.library, daemon.state, folder / f"{role}.fault")
            daemon.environment = disks[role].environment()
        bench.start_relay()
        bench.start_gateway()
        sink, home, up, down, nodes = (stack.enter_context(end) for end in (
            Collector(link, "net"), Collector(link, "site"), Publisher(link, "site"),
            Publisher(link, "net"), Publisher(link, "site")))
        trial = Trial(args, bench, disks, (sink, nodes), report)
        flows = [Traffic(up, upward(args.seed), 10), Traffic(down, downward(GATEWAY), 3)]
        stack.callback(lambda: [flow.end() for flow in flows])
        trial.greet()
        chance = random.Random(args.seed)
        for _ in range(args.rounds or (3 if args.full else 1)):
            faults = [(role, name) for role in disks for name in filter(None, args.faults.split(","))]
            chance.shuffle(faults)
            for role, name in faults:
                trial.fault(role, name)
        for (role, name), errors in trial.met.items():
            if name != "slow":
                report.figure(f"{label_of(role, name)}_errors", errors)
        trial.full_start()
        for flow in flows:
            flow.end()

        going_up = flows[0].sent + trial.greetings + trial.sos_sent
        coming_down = [mesh.Message(m.topic.removeprefix(f"down/{GATEWAY}/"), m.payload) for m in flows[1].sent]
        begin = time.monotonic()
        all_there = sink.wait_for(going_up, 60) and home.wait_for(coming_down, 60)
        report.figure("drained_s", time.monotonic() - begin, at_most=60)
        report.figure("all_there", all_there, equals=True)
        link.wait_quiet(2, timeout=30)
        arrived = [a for a in sink.arrivals if not a.topic.startswith("down/")]
        found = compare(going_up, arrived)
        for name in ("missing", "foreign", "torn_ids", "shared_ids"):
            report.figure(f"up_{name}", getattr(found, name), equals=0)
        report.figure("up_copies", found.copies)
        wanted = {(m.topic, m.payload) for m in coming_down}
        report.figure("down_missing", compare(coming_down, [a for a in home.arrivals if a.key in wanted]).missing,
                      equals=0)
        report.figure("published", len(going_up) + len(coming_down))
        for role in disks:
            until(lambda: getattr(bench, role).ledger()["queued"] == 0, 30)
            report.figure(f"{role}_books", balanced(getattr(bench, role).ledger()), equals=True)


def mount_small_disk(stack, folder):
    """A file system of 32 MiB, so that it can be really full."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=0750", "none", folder], check=True)
    stack.callback(subprocess.run, ["umount", "-l", folder], check=False)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
