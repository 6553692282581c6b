#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A scenario of tests/scenario on the release build, its figures as the results page takes them.

usage: scenario.py NAME [OPTIONS of that scenario]
"""
import json
import pathlib
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def main(name, options):
    done = subprocess.run([sys.executable, PROJECT / "tests" / "scenario" / f"{name}.py", "--binary",
                           PROJECT / "build" / "tulpar", *options], text=True, stdout=subprocess.PIPE)
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    if not last.startswith("{"):
        print(done.stdout, end="", file=sys.stderr)
        return done.returncode or 1
    for figure, value in json.loads(last).items():
        if figure not in ("scenario", "ok", "failures"):
            print(f"figure {figure} {value}")
    if done.returncode:
        print(last, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
