#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Radios publish at QoS 0: with the managed broker nothing that it was given is lost, though the gateway is killed
(SIGKILL) again and again. The broker outlives the gateway and keeps what comes meanwhile.
"""
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402


def arguments(parser):
    parser.add_argument("--kills", type=int, help="default 6, 20 with --full")
    parser.add_argument("--pace", type=float, default=20, help="messages a second")
    parser.add_argument("--shortest", type=float, default=0.5, help="seconds between two kills, at least")
    parser.add_argument("--longest", type=float, default=4.0, help="and at most")
    parser.add_argument("--rate", type=int, default=1_000_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.025, help="seconds one way")
    parser.add_argument("--deadline", type=float, default=90, help="seconds for what is left after the last kill")


def run(args, folder, report):
    from lab import mqtt
    from lab.satlink import SatLink
    from lab.tulpar import Bench, held

    chance = random.Random(args.seed)
    gaps = [chance.uniform(args.shortest, args.longest) for _ in range(args.kills or (20 if args.full else 6))]
    messages = mesh.Mesh(seed=args.seed).messages(round(sum(gaps) * args.pace))
    with SatLink(rate=args.rate, delay=args.delay, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate, managed=True)
        bench.start_relay()
        bench.start_gateway()
        mqtt.wait_port(link, "site")
        with mqtt.Collector(link, "net") as sink, mqtt.Publisher(link, "site", qos=0) as radios:
            sender = threading.Thread(target=radios.send_paced, args=(messages, args.pace))
            sender.start()
            for gap in gaps:
                time.sleep(gap)
                bench.gateway.kill()
                bench.gateway.start()
            sender.join()
            bench.gateway.wait_ready()
            sink.wait_for(messages, args.deadline)
            ledger = bench.wait_drained(len(messages), args.deadline)
        report.figure("kills", len(gaps))
        report.figure("published", len(messages))
        # Fewer: the broker went down with the gateway and closed the radios' connections.
        report.figure("taken_by_broker", len(radios.acknowledged()), equals=len(messages))
        found = mqtt.compare(messages, sink.arrivals)
        for name in ("missing", "copies", "foreign"):
            report.figure(name, getattr(found, name), equals=0)
        report.figure("delivered", ledger["delivered"], equals=len(messages))


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
