#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the provider's meter reads: bytes to open the link, per message, per idle hour; and whether Tulpar knows them.

Everything is counted as IP packets by the emulated link itself. Accounting compares the gateway's wire_up + wire_down
with what its host sent and what reached it: on a clean link, on one that loses packets, and with the gateway killed.
--peer measures a plain mosquitto bridge on the same link for comparison.
"""
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402

IDLE_FULL = 620  # seconds: two keepalives of 300 s and some


def arguments(parser):
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--pace", type=float, default=10, help="messages a second")
    parser.add_argument("--rate", type=int, default=512_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds one way")
    parser.add_argument("--loss", type=float, default=0.03, help="of the run on a bad link")
    parser.add_argument("--kills", type=int, default=3, help="of the gateway, in the run with kills")
    parser.add_argument("--idle", type=float, help=f"seconds on the idle link; default 0, {IDLE_FULL} with --full")
    parser.add_argument("--encrypted", action="store_true")
    parser.add_argument("--peer", action="store_true", help="measure a mosquitto bridge too")
    parser.add_argument("--per-message", type=float, default=110, help="limit in bytes, both directions")
    parser.add_argument("--opening", type=float, default=1250, help="limit in bytes")
    parser.add_argument("--idle-hour", type=float, default=1350, help="limit in bytes")


def run(args, folder, report):
    messages, source = mesh.traffic(args.count, args.seed, args.encrypted)
    report.figure("traffic", source)
    clean_run(args, subfolder(folder, "clean"), report, messages)
    lossy_run(args, subfolder(folder, "lossy"), report, messages)
    killed_run(args, subfolder(folder, "killed"), report, messages)
    if args.peer:
        from lab import bridge
        peer = bridge.measure(subfolder(folder, "peer"), messages, args.pace, args.rate, args.delay)
        for name, value in peer.items():
            report.figure(f"peer_{name}", value)


def subfolder(folder, name):
    (folder / name).mkdir()
    return folder / name


def make(args, folder, loss=0.0):
    from lab.satlink import SatLink
    from lab.tulpar import Bench, held

    link = SatLink(rate=args.rate, delay=args.delay, loss=loss, seed=args.seed)
    return link, Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate)


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
    link, bench = make(args, folder)
    with link:
        bench.start_relay()
        bench.start_gateway()
        opened = link.count()
        report.figure("opening", opened.wire, at_most=args.opening)
        publish_and_drain(args, bench, messages)
        drained = link.count()
        carried = drained - opened
        report.figure("up_per_message", carried.up.sent.bytes / len(messages))
        report.figure("down_per_message", carried.down.sent.bytes / len(messages))
        report.figure("per_message", carried.wire / len(messages), at_most=args.per_message)
        idle = args.idle if args.idle is not None else IDLE_FULL if args.full else 0
        if idle:
            time.sleep(idle)
            report.figure("idle_hour", (link.count() - drained).wire * 3600 / idle, at_most=args.idle_hour)
        check_accounting(report, "clean", bench, 0.01)


def lossy_run(args, folder, report, messages):
    link, bench = make(args, folder, args.loss)
    with link:
        bench.start_relay()
        bench.start_gateway()
        publish_and_drain(args, bench, messages)
        check_accounting(report, "lossy", bench, 0.01)


def killed_run(args, folder, report, messages):
    chance = random.Random(args.seed)
    link, bench = make(args, folder)

    def kill(duration):
        for _ in range(args.kills):
            time.sleep(duration / (args.kills + 1) * chance.uniform(0.6, 1.2))
            bench.gateway.kill()
            bench.gateway.start()
            bench.gateway.wait_ready()

    with link:
        bench.start_relay()
        bench.start_gateway()
        publish_and_drain(args, bench, messages, meanwhile=kill)
        check_accounting(report, "killed", bench, 0.02)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
