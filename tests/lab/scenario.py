# SPDX-License-Identifier: Apache-2.0
"""What the scenarios share: options, the visible skip, figures with their limits, one JSON line at the end.

A scenario is `run(args, folder, report)`, handed to main(). Exit codes: 0 all limits held, 1 not (or an error), 77 this
machine cannot run it (a reason is printed; ctest shows it as skipped).
"""
import argparse
import importlib.util
import json
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import traceback

SKIPPED = 77
LOG_TAIL = 30  # lines of each log shown after a failure


class Report:
    def __init__(self, name):
        self.figures, self.limits, self.failures = {"scenario": name}, {}, []

    def figure(self, name, value, at_most=None, at_least=None, equals=None):
        """Notes a figure and its limits, and a failure where it is beyond one."""
        self.figures[name] = round(value, 4) if isinstance(value, float) else value
        limits = [(holds, f"{word} {bound}") for word, bound, holds in (
            ("at most", at_most, at_most is None or value <= at_most),
            ("at least", at_least, at_least is None or value >= at_least),
            ("exactly", equals, equals is None or value == equals)) if bound is not None]
        if limits:
            self.limits[name] = " and ".join(limit for _, limit in limits)
        self.failures += [f"{name} is {self.figures[name]}, must be {limit}" for holds, limit in limits if not holds]

    def line(self):
        return json.dumps({**self.figures, "limits": self.limits, "ok": not self.failures,
                           "failures": self.failures})


def full():
    return os.environ.get("TULPAR_FULL", "0") not in ("", "0")


def missing(binary):
    """Why this machine cannot run a scenario; None: it can."""
    if importlib.util.find_spec("paho") is None:
        return "needs python3-paho-mqtt"
    for command in ("ip", "mosquitto", "setpriv"):
        if not shutil.which(command):
            return f"needs {command}"
    if not os.access(binary, os.X_OK):
        return f"needs the program: {binary} is not there (TULPAR_BIN)"
    from . import satlink
    return satlink.missing()


def _arguments(doc, add_arguments):
    default = os.environ.get("TULPAR_BIN") or pathlib.Path(__file__).resolve().parents[2] / "build" / "tulpar"
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(default), help="default: $TULPAR_BIN")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--keep", action="store_true", help="leave configurations, logs and stores behind")
    parser.add_argument("--full", action="store_true", default=full(), help="as large as the acceptance run")
    add_arguments(parser)
    return parser.parse_args()


def _show_logs(folder):
    for log in sorted(folder.glob("**/*.log")):
        print(f"--- {log.relative_to(folder)}", file=sys.stderr)
        print("\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:]), file=sys.stderr)


def main(doc, add_arguments, run, on_disk=False):
    """Runs a scenario as a program; does not return. `on_disk`: beside the program, since /tmp may be in memory."""
    args = _arguments(doc, add_arguments)
    args.binary = args.binary.resolve()
    name = pathlib.Path(sys.argv[0]).stem
    if reason := missing(args.binary):
        print(f"{name} skipped: {reason}")
        sys.exit(SKIPPED)
    report = Report(name)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tulpar-{name}-", dir=args.binary.parent if on_disk else None))
    try:
        run(args, folder, report)
    except Exception as error:
        traceback.print_exc()
        report.failures.append(f"{type(error).__name__}: {error}")
    finally:
        if report.failures:
            _show_logs(folder)
        if args.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if report.failures:
        print(f"again: {shlex.join(sys.argv)}", file=sys.stderr)
    print(report.line(), flush=True)
    sys.exit(1 if report.failures else 0)
