#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An SOS gets out first: how long it takes from its publication to the relay's broker over a thin link kept busy.

A large file and ordinary messages keep the link at work; SOS of different nodes go out meanwhile.
"""
import math
import pathlib
import random
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402


def arguments(parser):
    parser.add_argument("--probes", type=int, default=20)
    parser.add_argument("--spacing", type=float, default=6, help="mean seconds between two SOS")
    parser.add_argument("--bulk", type=int, default=200_000, help="bytes of the file")
    parser.add_argument("--count", type=int, default=400, help="ordinary messages")
    parser.add_argument("--hold", default="600ms", help="longest wait for company of every class but emergency")
    parser.add_argument("--rate", type=int, default=9600, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds one way")
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--busy", type=float, default=0.85, help="least share of the link in use during the probes")
    parser.add_argument("--median", type=float, default=1.5, help="limit in seconds")
    parser.add_argument("--p95", type=float, default=2.3, help="limit in seconds")


def sos(n):
    return mesh.Message(f"mesh/n{n}/sos", f"SOS {43.2389 + n / 1000:.4f},76.8897 two injured".encode())


def percentile(values, share):
    return sorted(values)[math.ceil(share * len(values)) - 1]


def seconds_taken(probes, arrivals):
    """For each of the publications that arrived."""
    first = {}
    for arrival in arrivals:
        first.setdefault(arrival.key, arrival.at)
    return [first[key] - probe.at for probe in probes
            if (key := (probe.message.topic, probe.message.payload)) in first]


def probe(args, link, messages, bulk, patience=60):
    """Sends the load and amid it the SOS, from the site's broker to the net's; `bulk`: bytes of the file, perhaps none.

    Returns how many seconds each SOS took (of those that arrived within `patience` seconds of the last), and the share
    of time that the link was in use meanwhile."""
    from lab.mqtt import Collector, Publisher

    chance = random.Random(args.seed)
    with Collector(link, "net", "mesh/+/sos") as sink, Publisher(link, "site") as load, \
            Publisher(link, "site") as nodes:
        if bulk:
            load.send(mesh.Message("mesh/camera/file", chance.randbytes(bulk)))
        pace = len(messages) / (args.probes * args.spacing)
        ordinary = threading.Thread(target=load.send_paced, args=(messages, pace))
        ordinary.start()
        time.sleep(5)  # until the load fills the link
        before = time.monotonic(), link.count()
        probes = []
        for n in range(args.probes):
            probes.append(nodes.send(sos(n)))
            time.sleep(args.spacing * chance.uniform(0.5, 1.5))  # hits frames and batches at any phase
        busy = (link.count() - before[1]).up.busy / (time.monotonic() - before[0])
        sink.wait_for([probe.message for probe in probes], patience)
        ordinary.join()
    return seconds_taken(probes, sink.arrivals), busy


def run(args, folder, report):
    from lab.satlink import SatLink
    from lab.tulpar import Bench, held

    messages, source = mesh.traffic(args.count, args.seed)
    report.figure("traffic", source)
    with SatLink(rate=args.rate, delay=args.delay, loss=args.loss, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, classes=held(args.hold), rate=args.rate,
                      rules=[{"topic": "mesh/+/file", "class": "bulk"}])
        bench.start_relay()
        bench.start_gateway()
        waits, busy = probe(args, link, messages, args.bulk)
        report.figure("busy", busy, at_least=args.busy)
        report.figure("arrived", len(waits), equals=args.probes)
        if waits:
            report.figure("median_s", statistics.median(waits), at_most=args.median)
            report.figure("p95_s", percentile(waits, 0.95), at_most=args.p95)
            report.figure("worst_s", max(waits))


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
