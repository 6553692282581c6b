#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An idle gateway, connected and with nothing to do: its resident memory, and how often its threads wake up."""
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import scenario  # noqa: E402


SETTLE = 2  # seconds until the last question for its status has been answered


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


class Watch:
    """What a gateway does from here on."""

    def __init__(self, bench):
        self._process = pathlib.Path("/proc", str(bench.gateway.pid))
        self._began, self._before = time.monotonic(), wakes(self._process)

    def figures(self):
        now, seconds = wakes(self._process), time.monotonic() - self._began
        rates = [(now[task] - self._before[task]) / seconds for task in self._before.keys() & now.keys()]
        return {"threads": len(now), "busiest_thread_per_s": max(rates), "all_threads_per_s": sum(rates),
                "resident_mb": field(self._process, "VmRSS") * 1024 / 1e6}


def run(args, folder, report):
    from lab.satlink import SatLink
    from lab.tulpar import Bench

    limits = {"busiest_thread_per_s": args.wakes, "resident_mb": args.resident}
    with SatLink(rate=64_000, delay=0.3, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, rate=64_000)
        bench.start_relay()
        bench.start_gateway()
        time.sleep(SETTLE)
        watch = Watch(bench)
        time.sleep(args.seconds)
        for name, value in watch.figures().items():
            report.figure(name, value, at_most=limits.get(name))


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
