#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`tulpar demo` as a stranger meets it, without a terminal and without root: the SOS arrives by Tulpar while it still
waits in the plain bridge, the printed link signs in once, and whatever ends the demo, no process and no file stays.

Twice: on the default link until the SOS is out by Tulpar, on a fast one until the bridge has delivered it, too.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.scenario import SKIPPED, Report  # noqa: E402

MOSQUITTO = "/usr/sbin/mosquitto"
CHILDREN = 6  # four brokers, a relay, a gateway
LINK = r"page: (http://\S+/)#code=(\w+)$"
BEGINNING = r"The satellite was away for .+: ([\d,]+) messages wait\. An SOS follows at 10 s\."
AHEAD = r"SOS of \S+: Tulpar delivered it in (.+), the bridge has ([\d,]+) to go\."
BOTH = r"SOS of \S+: Tulpar delivered it in (.+), the bridge in (.+)\."
STILL_WAITING = r"  SOS \S+ +after .+ s +still waiting after .+ s$"
OUT = r"  SOS \S+ +after .+ s +after .+ s$"


def seconds(text):
    """'0.9 s', '13 s', '1 min 05 s'"""
    units = {"s": 1, "min": 60}
    return sum(float(value) * units[unit] for value, unit in re.findall(r"([\d.]+) (s|min)", text))


def number(text):
    return int(text.replace(",", ""))


class Demo:
    """Its output, line by line; all its temporary files are in `folder`."""

    def __init__(self, binary, folder, *options):
        self.folder, self.lines, self.changed = folder, [], threading.Condition()
        self.started = time.monotonic()
        self.process = subprocess.Popen([binary, "demo", "--web", "127.0.0.1:0", *options], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env={**os.environ, "TMPDIR": str(folder)})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify()

    def line(self, pattern, patience):
        """The first line that holds the pattern, as a match; an error when it does not come."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self.lines)), None)
        with self.changed:
            if match := self.changed.wait_for(found, patience):
                return match
        raise TimeoutError(f"no line like {pattern!r} within {patience} s; it printed:\n" + "\n".join(self.lines))

    def children(self):
        """Ids of the processes that were given a file in its folder."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if str(self.folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass  # it has ended meanwhile
        return found

    def end(self, how):
        """Exit code, and how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(how)
        return self.process.wait(timeout=30), time.monotonic() - began


def request(page, method, path, body=None, cookie=""):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(page).netloc, timeout=10)
    try:
        headers = {"Cookie": cookie} if cookie else {"Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Set-Cookie", "").split(";")[0]
    finally:
        connection.close()


def check_link(page, code, report):
    signed_in, cookie = request(page, "POST", "/api/v1/session", {"code": code})
    report.figure("sign_in", signed_in, equals=204)
    report.figure("signed_in", request(page, "GET", "/api/v1/status", cookie=cookie)[0], equals=200)
    report.figure("second_sign_in", request(page, "POST", "/api/v1/session", {"code": code})[0], equals=401)


def check_end(demo, how, table, report, name):
    report.figure(f"{name}_children", len(demo.children()), equals=CHILDREN)
    code, took = demo.end(how)
    demo.line(table, 10)
    report.figure(f"{name}_exit_code", code, equals=0)
    report.figure(f"{name}_ended_s", took, at_most=5)
    report.figure(f"{name}_children_left", len(demo.children()), equals=0)
    report.figure(f"{name}_files_left", len(list(demo.folder.iterdir())), equals=0)


def default_link(args, folder, report):
    demo = Demo(args.binary, folder)
    try:
        page, code = demo.line(LINK, 30).groups()
        report.figure("ready_s", time.monotonic() - demo.started, at_most=15)
        report.figure("backlog", number(demo.line(BEGINNING, 10)[1]), at_least=1000)
        check_link(page, code, report)
        took, ahead = demo.line(AHEAD, 60).groups()
        report.figure("sos_s", seconds(took), at_most=10)
        report.figure("ahead_in_bridge", number(ahead), at_least=1000)
        check_end(demo, signal.SIGINT, STILL_WAITING, report, "default")
    finally:
        demo.process.kill()  # its children go with it


def fast_link(args, folder, report):
    demo = Demo(args.binary, folder, "--rate", "1Mbit/s")
    try:
        tulpar, bridge = map(seconds, demo.line(BOTH, 60).groups())
        report.figure("fast_sos_s", tulpar, at_most=5)
        report.figure("fast_bridge_sos_s", bridge, at_least=tulpar)
        check_end(demo, signal.SIGTERM, OUT, report, "fast")
    finally:
        demo.process.kill()


def main():
    default = os.environ.get("TULPAR_BIN") or pathlib.Path(__file__).resolve().parents[2] / "build" / "tulpar"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(default), help="default: $TULPAR_BIN")
    args = parser.parse_args()
    for needed in (args.binary, MOSQUITTO):
        if not os.access(needed, os.X_OK):
            print(f"demo skipped: needs {needed}")
            sys.exit(SKIPPED)
    report = Report("demo")
    for run in (default_link, fast_link):
        with tempfile.TemporaryDirectory(prefix="tulpar-demo-", ignore_cleanup_errors=True) as folder:
            try:
                run(args, pathlib.Path(folder), report)
            except Exception as error:
                traceback.print_exc()
                report.failures.append(f"{run.__name__}: {type(error).__name__}: {error}")
    print(report.line(), flush=True)
    sys.exit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
