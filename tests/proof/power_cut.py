#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The power cut's proof: cuts at random points of recorded lives of both sides' stores, and of pairs of linked peers.

usage: power_cut.py [--points N] [--seed S] [--build FOLDER]      5,000 points on each side, from seed 1, of build/
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("tests/queue/queue_power_cut_test", "tests/gateway/link/link_power_cut_test")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=PROJECT / "build")
    given = parser.parse_args()
    settings = {**os.environ, "TULPAR_CUT_POINTS": str(given.points), "TULPAR_SEED": str(given.seed)}
    print("text What was synced stays; the rest is kept, lost, torn at 512 bytes or reordered. After each cut: the file is "
          "whole, it is what the last reported commit left (or the one under way), its tables agree, every promise is "
          "kept, no number is given twice; a pair delivers everything once. Deliberately wrong stores are found.",
          flush=True)
    began = time.monotonic()
    for program in PROGRAMS:
        if subprocess.run([given.build / program], env=settings, check=False).returncode != 0:
            return 1
    print(f"figure power_cut_seconds {time.monotonic() - began:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
