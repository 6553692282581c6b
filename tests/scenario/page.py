#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The operator's page of a running gateway in a real browser: Chromium signs in by the password that `tulpar passwd`
set, sees the figures change as mesh traffic passes over the satellite, pauses a class, sends a message.

The checks are those of tests/browser/page.test.mjs. Needs chromium, and the page's npm packages (./dev test installs
both)."""
import os
import pathlib
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lab import mesh, scenario  # noqa: E402

PASSWORD = "four winged horses"
# A satellite plan as in config/plans/: what the dial shows.
PLAN = {"currency": "USD", "included": "2MB", "hard_cap": "2MB", "price": 5.0, "per": "1MB",
        "reserve": {"emergency": "100kB"}, "cycle": {"reset_day": 14, "zone": "Asia/Almaty"}}


def arguments(parser):
    parser.add_argument("--rate", type=int, default=9600, help="bits a second")
    parser.add_argument("--shots", type=pathlib.Path, help="where the pictures go; default: beside the logs")


def mesh_life(publisher, stop, seed):
    """A mesh of 40 nodes for as long as it is looked at; an SOS before that, since its line on the page moves others."""
    publisher.send(mesh.Message("mesh/hut-7/sos", b"SOS 43.2389,76.8897 two injured"))
    for message in mesh.Mesh(seed, nodes=40).messages(10_000):
        publisher.send(message)
        if stop.wait(0.4):
            return


def run(args, folder, report):
    from lab.mqtt import Publisher
    from lab.satlink import SatLink
    from lab.tulpar import Bench

    shots = (args.shots or folder / "pictures").resolve()
    with SatLink(rate=args.rate, delay=0.3, seed=args.seed) as link:
        bench = Bench(link, folder, args.binary, rate=args.rate, plan=PLAN,
                      classes=[{"name": "telemetry", "hold": "5s"}])
        bench.start_relay()
        bench.start_gateway()
        link.run("site", [args.binary, "passwd", "--config", bench.gateway.config], input=PASSWORD, text=True,
                 check=True, capture_output=True)
        stop = threading.Event()
        with Publisher(link, "site") as publisher:
            life = threading.Thread(target=mesh_life, args=(publisher, stop, args.seed))
            life.start()
            try:
                done = link.run("site", ["node", "--test", ROOT / "tests/browser/page.test.mjs"], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240,
                                env={**os.environ, "TULPAR_URL": "http://127.0.0.1:8480/",
                                     "TULPAR_PASSWORD": PASSWORD, "TULPAR_SHOTS": str(shots)})
            finally:
                stop.set()
                life.join()
        if done.returncode:
            print(done.stdout, file=sys.stderr)
        report.figure("failed", done.returncode, equals=0)
        report.figure("passed", sum(line.startswith("ok ") and "# SKIP" not in line for line in done.stdout.splitlines()),
                      at_least=8)
        report.figure("pictures", len(list(shots.glob("*.png"))), at_least=8)
        ledger = bench.gateway.ledger()
        report.figure("accepted", ledger["accepted"], at_least=20)
        report.figure("delivered", ledger["delivered"], at_least=1)


if __name__ == "__main__":
    if not shutil.which("chromium") or not (ROOT / "gateway/web/page/node_modules/playwright-core").is_dir():
        print("page skipped: needs chromium and the page's npm packages (./dev test installs both)")
        sys.exit(scenario.SKIPPED)
    scenario.main(__doc__, arguments, run)
