#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every fuzzer of tests/fuzz for so long without a finding, in slices, one process at a time, at the lowest priority.

What was reached is kept in build/asan/time.json, so that a run that was ended goes on where it was; a finding, or a
fuzzer that was built anew, begins that fuzzer's time again. Exit 1 with the first finding, which is then in build/asan;
77 while a fuzzer that was not named has time to go.
"""
import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUILD = PROJECT / "build" / "asan"
STATE = BUILD / "time.json"


def fuzzers():
    return sorted(path for path in (BUILD / "tests" / "fuzz").glob("fuzz_*") if path.is_file())


def known(state, fuzzer):
    """What was reached with this very program: {program, seconds, runs, blocks}."""
    program = hashlib.sha256(fuzzer.read_bytes()).hexdigest()[:16]
    reached = state.get(fuzzer.name, {})
    return reached if reached.get("program") == program else {"program": program, "seconds": 0, "runs": 0, "blocks": 0}


def run_slice(fuzzer, seconds):
    """(runs, blocks); raises SystemExit with what was found."""
    done = subprocess.run(["nice", "-n", "19", PROJECT / "tests" / "fuzz" / "run", BUILD, str(seconds), "1", fuzzer],
                          text=True, stdout=subprocess.PIPE)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        sys.exit(1)
    runs, blocks = re.search(r"(\d+) runs +(\d+) blocks", done.stdout).groups()
    return int(runs), int(blocks)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="only these now (default: all)")
    parser.add_argument("--seconds", type=int, default=3600, help="for each fuzzer")
    parser.add_argument("--slice", type=int, default=300, help="seconds at a time")
    args = parser.parse_args()
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    reached = {fuzzer: known(state, fuzzer) for fuzzer in fuzzers()}

    def waiting(names):
        return [fuzzer for fuzzer in reached if reached[fuzzer]["seconds"] < args.seconds
                and (not names or fuzzer.name.removeprefix("fuzz_") in names)]

    while open_ones := waiting(args.name):
        fuzzer = min(open_ones, key=lambda one: reached[one]["seconds"])
        now = reached[fuzzer]
        seconds = min(args.slice, args.seconds - now["seconds"])
        try:
            runs, blocks = run_slice(fuzzer, seconds)
            now.update(seconds=now["seconds"] + seconds, runs=now["runs"] + runs, blocks=blocks)
        except SystemExit:
            now["seconds"] = 0
            raise
        finally:
            state[fuzzer.name] = now
            STATE.write_text(json.dumps(state, indent=1))
    if waiting([]) or not reached:
        return 77
    print(f"text Each fuzzer ran for {args.seconds} s without a finding: inputs tried, basic blocks reached.")
    for fuzzer, now in reached.items():
        print(f"figure {fuzzer.name.removeprefix('fuzz_')} {now['runs']:,} inputs, {now['blocks']:,} blocks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
