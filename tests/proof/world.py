# SPDX-License-Identifier: Apache-2.0
"""The soak's processes: gateway and relay, a broker at either end, the link between them; each can be killed, frozen
and started again.

On the main thread: what it starts ends with that thread (see lab/satlink.py).
"""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from lab.mqtt import PORT
from lab.tulpar import CHANNELS, GATEWAY, RELAY_PORT, Daemon, toml

from . import traffic

RATE = 2_000_000  # bits a second: faults, not the link, are what holds messages back
DELAY = 0.025  # seconds one way
# Texts go at once, in many small batches; the others wait for company.
HOLDS = {"message": "0s", "normal": "300ms", "telemetry": "600ms", "bulk": "1s"}
# A delivered body is erased at the next look, which every start takes: so tidying and checkpoints are a daily affair.
STORAGE = {"keep_delivered": "0s"}
# 0 s of statistics: each would be a change to save.
BROKER = ["user root", f"listener {PORT} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0",
          "persistence true", "autosave_on_changes true", "autosave_interval 1", "sys_interval 0", "log_dest stderr",
          "log_type all"]


class Program(Daemon):
    """A daemon of ours, each of whose lives may begin with fail points armed."""

    def __init__(self, link, side, binary, role, folder, tables):
        super().__init__(link, side, binary, role, folder)
        self.role, self.store = role, self.state / "queue.db"
        self._points = pathlib.Path(folder, f"{role}.points")
        self.state.mkdir()
        self.config.write_text(toml({**tables, "state_dir": str(self.state), "storage": STORAGE}) + "\n")

    def start(self, fail=""):
        self.environment = {**os.environ, "TULPAR_FAIL": fail, "TULPAR_FAIL_LOG": str(self._points)}
        super().start()

    def ended(self):
        """Its exit code (negative: the signal), None while it runs."""
        return self._process.poll()

    def signal(self, number):
        if self.ended() is None:
            os.kill(self.pid, number)

    def points(self, word):
        """The fail points that its lives have noted so far, in order; `word`: pass, kill or stall."""
        lines = self._points.read_text().splitlines() if self._points.exists() else []
        return [line.split()[1] for line in lines if line.startswith(word + " ")]

    def complaints(self):
        """What its lives have logged that no fault from outside explains. A managed broker's death is one that does."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if "the session ends:" in line or "new incarnation" in line
                or (" error: " in line and " error: broker: " not in line)]


class ForeignBroker:
    def __init__(self, link, side, folder):
        self._link, self._side = link, side
        self.log, self._config = pathlib.Path(folder, f"{side}-broker.log"), pathlib.Path(folder, f"{side}-broker.conf")
        data = pathlib.Path(folder, f"{side}-broker")
        data.mkdir()
        self._config.write_text("\n".join([*BROKER, f"persistence_location {data}/", ""]))

    def start(self):
        with open(self.log, "ab") as log:
            self._process = self._link.spawn(self._side, ["mosquitto", "-c", self._config], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log)

    def ended(self):
        return self._process.poll()

    def signal(self, number):
        if self.ended() is None:
            os.kill(self._process.pid, number)

    def kill(self):
        self._process.kill()
        self._process.wait()


class ManagedBroker:
    """The gateway's own: it starts it, adopts it, and starts it again."""

    log = None

    def __init__(self, state):
        self._home = str(state / "broker")

    def _pid(self):
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "cwd") == self._home \
                        and (entry / "comm").read_text() == "mosquitto\n":
                    return int(entry.name)
        return None

    def start(self):
        """The gateway's affair."""

    def ended(self):
        return None if self._pid() else -signal.SIGKILL

    def signal(self, number):
        if pid := self._pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)


class World:
    def __init__(self, link, folder, binary, managed):
        # A copy: a build that goes on beside must not change it.
        self.link, self._binary = link, pathlib.Path(shutil.copy2(binary, folder))
        common = {"channel": CHANNELS, "class": [
            {"name": name, "hold": hold} for name, hold in HOLDS.items()]}
        broker = {"host": "127.0.0.1", "port": PORT}
        self._enrolment = pathlib.Path(folder, "enrolment")
        self.relay = Program(link, "net", self._binary, "relay", folder, {
            "name": "lab-relay", **common, "listen": {"tls": f"0.0.0.0:{RELAY_PORT}"},
            "sink": [{"type": "mqtt", **broker}], "source": [{"type": "mqtt", **broker}]})
        self.gateway = Program(link, "site", self._binary, "gateway", folder, {
            "name": GATEWAY, **common, "rule": traffic.RULES,
            "mqtt": {**({"listen": f"127.0.0.1:{PORT}"} if managed else broker), "topics": ["msh/#", "mesh/#"]},
            "link": [{"name": "sat", "transport": "tls", "enrolment_file": str(self._enrolment),
                      "rate": f"{RATE}bit/s"}]})
        self.net = ForeignBroker(link, "net", folder)
        self.site = ManagedBroker(self.gateway.state) if managed else ForeignBroker(link, "site", folder)

    def enrol(self):
        done = self.link.run("net", [self._binary, "enrol", GATEWAY, "--config", self.relay.config,
                                     "--address", f"{self.link.net_ip}:{RELAY_PORT}"], text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"tulpar enrol: {done.returncode} {done.stderr!r}")
        with open(self._enrolment, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(done.stdout)


def copy_state(program, to):
    """As a backup of the machine's disk would: everything, the keys too. Nobody may be running on it."""
    shutil.copytree(program.state, to, ignore=shutil.ignore_patterns("*.sock", "broker"))


def restore_state(program, backup):
    for path in backup.iterdir():
        target = program.state / path.name
        if path.is_file():
            shutil.copy2(path, target)
    for leftover in ("-wal", "-shm"):
        if not (backup / f"{program.store.name}{leftover}").exists():
            pathlib.Path(f"{program.store}{leftover}").unlink(missing_ok=True)
