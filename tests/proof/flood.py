#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The scenario tests/scenario/flood.py on the release build, its figures as the results page takes them."""
import json
import pathlib
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def main():
    done = subprocess.run([sys.executable, PROJECT / "tests" / "scenario" / "flood.py", "--binary",
                           PROJECT / "build" / "tulpar", *sys.argv[1:]], text=True, stdout=subprocess.PIPE)
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    if not last.startswith("{"):
        print(done.stdout, end="", file=sys.stderr)
        return done.returncode
    for name, value in json.loads(last).items():
        if name not in ("scenario", "ok", "failures"):
            print(f"figure {name} {value}")
    if done.returncode:
        print(last, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
