#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A million messages queued: what an operation costs beside a thousand, how long a gateway takes to start with them,
and how much memory it needs. On the disk of the build folder.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUILD, FOLDER = PROJECT / "build", PROJECT / "build/proof/million"
FEW, MANY = 1_000, 1_000_000
LIMITS = {**{f"{what}_{ratio}": 1.5 for what in ("append", "pick", "acknowledge") for ratio in ("ratio", "cpu_ratio")},
          "start_s": 2.0, "resident_mb": 64.0, "most_resident_mb": 64.0}
# Nobody answers at these addresses: the queue stays as it is.
CONFIG = """\
name = "million"
state_dir = "{state}"
[mqtt]
host = "127.0.0.1"
port = 1
topics = ["msh/#"]
[[link]]
name = "sat"
transport = "tls"
enrolment_file = "{enrolment}"
rate = "9600bit/s"
downlink = "always"
[web]
listen = "127.0.0.1:0"
"""
RELAY = 'name = "nowhere"\nstate_dir = "{state}"\n[listen]\ntls = "127.0.0.1:1"\n[web]\nlisten = "127.0.0.1:0"\n'


def million(*arguments):
    return subprocess.run([BUILD / "tests/proof/proof_million", *map(str, arguments)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def configured(state):
    """A gateway's configuration, enrolled at a relay that is not there."""
    relay, enrolment, config = (FOLDER / name for name in ("relay.toml", "enrolment", "gateway.toml"))
    relay.write_text(RELAY.format(state=FOLDER / "relay"))
    line = subprocess.run([BUILD / "tulpar", "enrol", "million", "--config", relay, "--address", "127.0.0.1:1"],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    enrolment.write_text(line)
    enrolment.chmod(0o600)
    config.write_text(CONFIG.format(state=state, enrolment=enrolment))
    return config


def start(config):
    """Seconds until a gateway is ready, and its resident memory then and at the most, in MB."""
    began = time.monotonic()
    with subprocess.Popen([BUILD / "tulpar", "gateway", "--config", config], text=True, stderr=subprocess.PIPE) as gateway:
        for line in gateway.stderr:
            if line.startswith("ready"):
                break
        else:
            raise RuntimeError(f"the gateway does not start: exit {gateway.wait()}")
        seconds = time.monotonic() - began
        time.sleep(2)
        status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
        gateway.terminate()
        gateway.stderr.read()
    return seconds, *(int(re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[1]) * 1024 / 1e6
                      for name in ("VmRSS", "VmHWM"))


def beyond(found):
    """What is not within its limit, in words."""
    return [f"{name} is {found[name]:g}, the limit {limit:g}" for name, limit in LIMITS.items() if found[name] > limit]


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()  # it has no options
    shutil.rmtree(FOLDER, ignore_errors=True)
    million("fill", FOLDER / "few", FEW)
    million("fill", FOLDER / "many", MANY)
    os.sync()  # what filling has left to write is not the start's
    config = configured(FOLDER / "many")
    starts = sorted(start(config) for _ in range(3))
    seconds, resident, most = starts[1]
    lines = million("compare", FOLDER / "few", FOLDER / "many").splitlines()
    found = {name: float(value) for _, name, value in map(str.split, lines)}
    found.update(start_s=round(seconds, 2), resident_mb=round(resident, 1), most_resident_mb=round(most, 1))
    for name, value in found.items():
        print(f"figure {name} {value:g}" + (f" (limit at most {LIMITS[name]:g})" if name in LIMITS else ""))
    shutil.rmtree(FOLDER)
    sys.exit("\n".join(beyond(found)) or None)


if __name__ == "__main__":
    main()
