#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the provider's meter reads: bytes to open the link, per message, per idle hour; and whether Tulpar knows them.

Everything is counted as IP packets by the emulated link itself. Accounting compares the gateway's wire_up + wire_down
with what its host sent and what reached it: on a clean link, on one that loses packets, and with the gateway killed.
`./dev bench` sets a plain mosquitto bridge beside it.
"""
import contextlib
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402

IDLE_FULL = 660  # seconds: two keepalives of 300 s, which the kernel's timers make up to 320


def arguments(parser):
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--pace", type=float, default=10, help="messages a second")
    parser.add_argument("--rate", type=int, default=512_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds one way")
    parser.add_argument("--loss", type=float, default=0.03, help="of the run on a bad link")
    parser.add_argument("--kills", type=int, default=3, help="of the gateway, in the run with kills")
    parser.add_argument("--idle", type=float, help=f"seconds on the idle link; default 0, {IDLE_FULL} with --full")
    parser.add_argument("--encrypted", action="store_true")
    parser.add_argument("--per-message", type=float, default=110, help="limit in bytes, both directions")
    parser.add_argument("--opening", type=float, default=1250, help="limit in bytes")
    parser.add_argument("--idle-hour", type=float, default=1350, help="limit in bytes")


def run(args, folder, report):
    messages, source = mesh.traffic(args.count, args.seed, args.encrypted)
    report.figure("traffic", source)
    clean_run(args, subfolder(folder, "clean"), report, messages)
    lossy_run(args, subfolder(folder, "lossy"), report, messages)
    killed_run(args, subfolder(folder, "killed"), report, messages)


def subfolder(folder, name):
    (folder / name).mkdir()
    return folder / name


@contextlib.contextmanager
def opened(args, folder, loss=0.0):
    """Relay and gateway on a link of their own, greeted and quiet."""
    from lab.satlink import SatLink
    from lab.tulpar import Bench, held, until

    with SatLink(rate=args.rate, delay=args.delay, loss=loss, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate)
        bench.start_relay()
        bench.start_gateway()
        # A session that ends without a greeting belongs to the opening, too.
        if not until(lambda: bench.gateway.status()["links"][0]["state"] == "up", 60):
            raise TimeoutError(f"the link is not up: {bench.gateway.status()['links']}")
        link.wait_quiet(2, timeout=30)
        yield bench


def publish_and_drain(args, bench, messages, meanwhile=lambda duration: None):
    from lab.mqtt import Publisher

    with Publisher(bench.link, "site") as publisher:
        sender = threading.Thread(target=publisher.send_paced, args=(messages, args.pace))
        sender.start()
        meanwhile(len(messages) / args.pace)
        sender.join()
        ledger = bench.wait_drained(len(messages), timeout=60)
    if ledger["delivered"] != len(messages):
        raise RuntimeError(f"{len(messages)} messages published, but the ledger says {ledger}")
    bench.link.wait_quiet(2, timeout=30)


def check_accounting(report, name, bench, limit):
    """The gateway's own figure against the meter's, as a share of the latter."""
    counted, status = bench.link.count().seen_by_site, bench.gateway.status()["links"][0]
    told = status["wire_up"] + status["wire_down"]
    report.figure(f"{name}_wire", counted)
    report.figure(f"{name}_error", abs(told - counted) / counted, at_most=limit)


def clean_run(args, folder, report, messages):
    from lab import bridge

    with opened(args, folder) as bench:
        before = bench.link.count()
        report.figure("opening", before.wire, at_most=args.opening)
        publish_and_drain(args, bench, messages)
        limits = {"per_message": args.per_message}
        for name, value in bridge.per_message(bench.link.count() - before, len(messages)).items():
            report.figure(name, value, at_most=limits.get(name))
        idle = args.idle if args.idle is not None else IDLE_FULL if args.full else 0
        if idle:
            report.figure("idle_hour", bridge.per_hour(idle, bench.link)[0], at_most=args.idle_hour)
        check_accounting(report, "clean", bench, 0.01)


def lossy_run(args, folder, report, messages):
    with opened(args, folder, args.loss) as bench:
        publish_and_drain(args, bench, messages)
        check_accounting(report, "lossy", bench, 0.01)


def killed_run(args, folder, report, messages):
    chance = random.Random(args.seed)

    def kill(duration):
        for _ in range(args.kills):
            time.sleep(duration / (args.kills + 1) * chance.uniform(0.6, 1.2))
            bench.gateway.kill()
            bench.gateway.start()
            bench.gateway.wait_ready()

    with opened(args, folder) as bench:
        publish_and_drain(args, bench, messages, meanwhile=kill)
        check_accounting(report, "killed", bench, 0.02)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
