#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every fuzzer of tests/fuzz for so long without a finding, in slices, at the lowest priority.

What was reached is kept in build/asan/time.json, in seconds of processor time, so that a run that was ended goes on where
it was. A fuzzer that was built anew keeps its time, as its corpus is kept, but runs a slice over that before it counts as
done; a finding begins its time again. Exit 1 with the first finding, which is then in build/asan; 77 while a fuzzer that
was not named has time to go.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUILD = PROJECT / "build" / "asan"
STATE = BUILD / "time.json"
ENOUGH = 0.8  # of a slice: the rest goes by while it starts and reads


def fuzzers():
    return sorted(path for path in (BUILD / "tests" / "fuzz").glob("fuzz_*") if path.is_file())


def keep(state):
    """Whole or not at all: a run may be killed at any time."""
    new = STATE.with_suffix(".new")
    new.write_text(json.dumps(state, indent=1))
    new.replace(STATE)


def known(state, fuzzer):
    """What was reached: {program, seconds, since (of them with this very program), runs, blocks}."""
    program = hashlib.sha256(fuzzer.read_bytes()).hexdigest()[:16]
    reached = {"seconds": 0, "since": 0, "runs": 0, "blocks": 0, **state.get(fuzzer.name, {})}
    return reached if reached.get("program") == program else {**reached, "program": program, "since": 0}


def open_ones(reached, args):
    """Those with time to go, the one with the least first."""
    return sorted((fuzzer for fuzzer, now in reached.items()
                   if now["seconds"] < args.seconds or now["since"] < min(args.slice, args.seconds) * ENOUGH),
                  key=lambda one: reached[one]["seconds"])


def run_slice(fuzzer, seconds):
    """(runs, blocks, seconds of processor time); raises SystemExit with what was found."""
    with tempfile.TemporaryFile("w+") as output:
        command = ["nice", "-n", "19", PROJECT / "tests" / "fuzz" / "run", BUILD, str(seconds), "1", fuzzer]
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        told = output.read()
    if status:
        print(told, file=sys.stderr)
        sys.exit(1)
    runs, blocks = re.search(r"(\d+) runs +(\d+) blocks", told).groups()
    return int(runs), int(blocks), usage.ru_utime + usage.ru_stime


def run_slices(reached, chosen, seconds):
    """A slice of each, side by side; what was reached is changed. Returns whether all went well."""
    with concurrent.futures.ThreadPoolExecutor(len(chosen)) as pool:
        running = {fuzzer: pool.submit(run_slice, fuzzer, seconds) for fuzzer in chosen}
    good = True
    for fuzzer, slice_ in running.items():
        now = reached[fuzzer]
        if slice_.exception():
            now.update(seconds=0, since=0, runs=0)
            good = False
            continue
        runs, now["blocks"], used = slice_.result()
        now.update(seconds=now["seconds"] + used, since=now["since"] + used, runs=now["runs"] + runs)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="only these now (default: all)")
    parser.add_argument("--seconds", type=int, default=3600, help="for each fuzzer")
    parser.add_argument("--slice", type=int, default=300, help="seconds at a time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    args = parser.parse_args()
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    reached = {fuzzer: known(state, fuzzer) for fuzzer in fuzzers()}

    def named(fuzzer):
        return not args.name or fuzzer.name.removeprefix("fuzz_") in args.name

    while waiting := [fuzzer for fuzzer in open_ones(reached, args) if named(fuzzer)][:args.jobs]:
        good = run_slices(reached, waiting, args.slice)
        state.update({fuzzer.name: reached[fuzzer] for fuzzer in waiting})
        keep(state)
        if not good:
            return 1
    if open_ones(reached, args) or not reached:
        return 77
    print(f"text Each fuzzer ran for {args.seconds} s of processor time without a finding, some of it with earlier "
          "builds of it; with this one at least over the whole corpus that those left. Inputs tried, basic blocks "
          "reached.")
    for fuzzer, now in reached.items():
        print(f"figure {fuzzer.name.removeprefix('fuzz_')} {now['runs']:,} inputs, {now['blocks']:,} blocks, "
              f"{now['since']:.0f} s with this build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
