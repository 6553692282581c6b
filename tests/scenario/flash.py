#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a busy mesh makes a gateway and its relay write to storage, in a day: what wears out a memory card.

Counted by the kernel for each process (write_bytes), at the pace of the recorded mesh, in a folder beside the program:
on its disk. The brokers' own files and what the file system adds come on top.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402

DAY = 86_400
LEAST = 4.096  # KB a message: the log holds whole pages. Less was not counted: that folder is in memory


def arguments(parser):
    parser.add_argument("--minutes", type=float, help="default 2; 5 with --full, in which the log is cut back, too")
    parser.add_argument("--pace", type=float, default=23, help="messages a minute, as the recorded mesh published")
    parser.add_argument("--limit", type=float, default=2500, help="MB a day, of each process")


def written(daemon):
    for line in pathlib.Path("/proc", str(daemon.pid), "io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not count what is written")


def run(args, folder, report):
    from lab.mqtt import Publisher
    from lab.satlink import SatLink
    from lab.tulpar import Bench

    minutes = args.minutes or (5 if args.full else 2)
    count = round(minutes * args.pace)
    messages, source = mesh.traffic(count, args.seed)
    report.figure("traffic", source)
    with SatLink(rate=64_000, delay=0.3, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, rate=64_000)
        bench.start_relay()
        bench.start_gateway()
        daemons = {"gateway": bench.gateway, "relay": bench.relay}
        before = {name: written(daemon) for name, daemon in daemons.items()}
        with Publisher(link, "site") as up:
            up.send_paced(messages, args.pace / 60)
            bench.wait_drained(count, 60)
        report.figure("minutes", minutes)
        for name, daemon in daemons.items():
            total = written(daemon) - before[name]
            report.figure(f"{name}_kb_per_message", total / count / 1e3, at_least=LEAST)
            report.figure(f"{name}_mb_per_day", total / (minutes * 60) * DAY / 1e6, at_most=args.limit)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run, on_disk=True)
