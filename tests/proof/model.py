#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The store, the scheduler and the link's two parties against small models: every interleaving within bounds, and many
random runs beyond them.

usage: model.py [--seeds N] [--seed S] [--build FOLDER]       so many of each random run, from S on
"""
import argparse
import os
import pathlib
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
EXPLORED = "tests/gateway/link/link_explore_test"
# Program and test cases; the seeds are told to them by the environment.
RANDOM = (
    ("tests/queue/queue_store_test", "A store agrees with a model under random operations*"),
    ("tests/queue/queue_store_test", "No faults of time *,No clock that is believed and wrong *"),
    ("tests/gateway/link/link_test", "Two peers for many seeds"),
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=PROJECT / "build")
    given = parser.parse_args()
    print("text Explored: every order of loss, crash, refusal and restore within the bounds (faults in a run), from the "
          "greeting to the last acknowledgement. The others: random operations, failures, crashes, backups, clones "
          "and steps of the clock, compared with a model after each; a failing run is told as the few steps that are "
          "enough.",
          flush=True)
    print(f"figure first_seed {given.seed}\nfigure seeds {given.seeds}", flush=True)
    runs = [(EXPLORED, "*", {"TULPAR_EXPLORE": "full"})]
    seeds = {"TULPAR_FIRST_SEED": str(given.seed), "TULPAR_SEEDS": str(given.seeds)}
    runs += [(program, cases, seeds) for program, cases in RANDOM]
    for program, cases, settings in runs:
        if subprocess.run([given.build / program, cases], env={**os.environ, **settings}, check=False).returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
