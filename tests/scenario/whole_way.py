#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole way: a mesh's messages go up through an outage while others come down, each exactly once.

Up: published at the gateway's broker, they arrive at the relay's broker under their own topics, byte for byte. Down:
published there under down/<gateway>/TOPIC, they arrive at the gateway's broker as TOPIC, and never go up again.
"""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402


def arguments(parser):
    parser.add_argument("--count", type=int, default=1000, help="messages up")
    parser.add_argument("--back", type=int, default=100, help="messages down")
    parser.add_argument("--pace", type=float, default=25, help="messages up a second")
    parser.add_argument("--rate", type=int, default=64_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds one way")
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--cut", type=float, default=20, help="seconds of outage in the middle")
    parser.add_argument("--encrypted", action="store_true", help="packets as a mesh with encryption uplinks them")
    parser.add_argument("--deadline", type=float, default=180, help="seconds from the last publication on")


def replies(count, seed):
    """What goes down: topics that the gateway itself is subscribed to, so that only its care prevents a loop."""
    packets = mesh.Mesh(seed=seed + 1000, nodes=20).messages(count // 2)
    return packets + [mesh.Message(f"mesh/n{n % 7}/reply", f'{{"reply":{n}}}'.encode())
                      for n in range(count - len(packets))]


def run(args, folder, report):
    from lab.mqtt import Collector, Publisher, compare
    from lab.satlink import SatLink
    from lab.tulpar import GATEWAY, Bench, held, until

    messages, source = mesh.traffic(args.count, args.seed, args.encrypted)
    back = replies(args.back, args.seed)
    downward = [mesh.Message(f"down/{GATEWAY}/{message.topic}", message.payload) for message in back]
    report.figure("traffic", source)
    with SatLink(rate=args.rate, delay=args.delay, loss=args.loss, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate)
        bench.start_relay()
        bench.start_gateway()
        with Collector(link, "net") as sink, Collector(link, "site") as home, \
                Publisher(link, "site") as up, Publisher(link, "net") as down:
            duration = args.count / args.pace
            publishers = [threading.Thread(target=up.send_paced, args=(messages, args.pace)),
                          threading.Thread(target=down.send_paced, args=(downward, args.back / duration))]
            for publisher in publishers:
                publisher.start()
            time.sleep(duration / 2 - min(args.cut, duration) / 2)
            link.cut()
            time.sleep(args.cut)
            link.mend()
            for publisher in publishers:
                publisher.join()
            ends = time.monotonic() + args.deadline
            ledger = bench.wait_drained(args.count, args.deadline)
            report.figure("drained_s", time.monotonic() - (ends - args.deadline))
            sink.wait_for(messages, max(1.0, ends - time.monotonic()))
            home.wait_for(back, max(1.0, ends - time.monotonic()))
            # For a gateway that is not enrolled: in the books, and in nobody's way.
            down.send_paced([mesh.Message("down/nobody/x", b"x")], 100)
            report.figure("dropped_for_nobody", until(lambda: bench.relay.ledger()["dropped"] == 1, 10), equals=True)
            link.wait_quiet(3, timeout=30)  # a loop or a late copy would show by then

        # The collectors also see what was published at their own broker.
        arrived = [arrival for arrival in sink.arrivals if not arrival.topic.startswith("down/")]
        returned = {(message.topic, message.payload) for message in back}
        check(report, "up", compare(messages, arrived), ids=True)
        check(report, "down", compare(back, [a for a in home.arrivals if a.key in returned]), ids=False)
        # Whether the gateway's ledger counts the way back too is its own affair; that nothing was lost is not.
        both_ways = args.count + args.back
        total = both_ways if ledger["accepted"] == both_ways else args.count
        for state in ("accepted", "delivered"):
            report.figure(state, ledger[state], equals=total)
        for daemon in (bench.gateway, bench.relay):
            report.figure(f"{daemon.config.stem}_exit", daemon.stop(), equals=0)


def check(report, way, found, ids):
    for name in ("missing", "copies", "foreign") + (("torn_ids", "shared_ids") if ids else ()):
        report.figure(f"{way}_{name}", getattr(found, name), equals=0)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
