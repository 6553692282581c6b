#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An idle gateway, connected and with nothing to do: its resident memory, and how often its threads wake up."""
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import scenario  # noqa: E402


def arguments(parser):
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--resident", type=float, default=20, help="limit in MB; holds for a release build")
    # One timer a second may fall into the window once more than it has seconds.
    parser.add_argument("--wakes", type=float, default=1.1, help="limit a second, of each thread")


def field(pid_path, name):
    return int(re.search(rf"^{name}:\s+(\d+)", (pid_path / "status").read_text(), re.MULTILINE)[1])


def wakes(process):
    """Voluntary context switches so far, by thread: each time one blocked, hence later woke up."""
    return {task.name: field(task, "voluntary_ctxt_switches") for task in (process / "task").iterdir()}


def run(args, folder, report):
    from lab.satlink import SatLink
    from lab.tulpar import Bench

    with SatLink(rate=64_000, delay=0.3, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, rate=64_000)
        bench.start_relay()
        bench.start_gateway()
        time.sleep(2)  # the last question for its status has been answered
        process = pathlib.Path("/proc", str(bench.gateway.pid))
        before = wakes(process)
        time.sleep(args.seconds)
        after = wakes(process)
        rates = [(after[task] - before[task]) / args.seconds for task in before.keys() & after.keys()]
        report.figure("threads", len(after))
        report.figure("busiest_thread_per_s", max(rates), at_most=args.wakes)
        report.figure("all_threads_per_s", sum(rates))
        report.figure("resident_mb", field(process, "VmRSS") * 1024 / 1e6, at_most=args.resident)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
