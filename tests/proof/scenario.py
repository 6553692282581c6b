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


def figures(report):
    """A line for each of the report's figures, with its limit where it was judged."""
    limits = report.get("limits", {})
    return [f"figure {name} {value}" + (f" (limit {limits[name]})" if name in limits else "")
            for name, value in report.items() if name not in ("scenario", "limits", "ok", "failures")]


def main(name, options):
    done = subprocess.run([sys.executable, PROJECT / "tests" / "scenario" / f"{name}.py", "--binary",
                           PROJECT / "build" / "tulpar", *options], text=True, stdout=subprocess.PIPE)
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    if not last.startswith("{"):
        print(done.stdout, end="", file=sys.stderr)
        return done.returncode or 1
    print("\n".join(figures(json.loads(last))))
    if done.returncode:
        print(last, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
