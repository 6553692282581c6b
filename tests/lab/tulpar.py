# SPDX-License-Identifier: Apache-2.0
"""Drives the program under test: writes its configuration, runs relay and gateway in the link's namespaces, asks them.

    bench = Bench(link, folder, binary, classes=held("600ms"))
    bench.start_relay(); bench.start_gateway()
    bench.gateway.status()["ledger"]
    bench.gateway.kill(); bench.gateway.start(); bench.gateway.wait_ready()

Everything that a Bench starts ends with its link.
"""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import time

from . import mqtt

GATEWAY, RELAY_PORT = "lab-roof", 7700
# The mesh's default key under the channel names that the traffic uses (the packets' hash depends on both).
CHANNELS = [{"name": name, "psk": "AQ=="} for name in ("LongFast", "MediumFast")]
SOS_RULE = {"topic": "mesh/+/sos", "class": "emergency"}


def held(hold):
    """Overrides of the default classes: nothing but emergency waits longer than `hold`, nothing is conflated."""
    return [{"name": name, "hold": hold, "latest_only": False} for name in ("message", "normal", "telemetry", "bulk")]


def toml(tables, prefix=""):
    """A configuration as text: scalars first, then tables and arrays of tables."""
    scalars, rest = [], []
    for key, value in tables.items():
        if isinstance(value, dict):
            rest += [f"\n[{prefix}{key}]", toml(value, f"{prefix}{key}.")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                rest += [f"\n[[{prefix}{key}]]", toml(item, f"{prefix}{key}.")]
        else:
            scalars.append(f"{key} = {json.dumps(value)}")
    return "\n".join(scalars + rest)


def until(done, timeout, pause=0.1):
    """Calls done() until it returns something true, and returns that; the last answer after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := done()) and time.monotonic() < deadline:
        time.sleep(pause)
    return answer


def balanced(ledger):
    return ledger["accepted"] == sum(ledger[state] for state in
                                     ("delivered", "expired", "conflated", "dropped", "queued"))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Daemon:
    """`tulpar gateway` or `tulpar relay`, which may be killed and started again on the same state."""

    def __init__(self, link, side, binary, role, folder):
        self._link, self._side, self._role = link, side, role
        self.config, self.state = pathlib.Path(folder, f"{role}.toml"), pathlib.Path(folder, role)
        self._command = [binary, role, "--config", self.config]
        self._log = pathlib.Path(folder, f"{role}.log")
        self._log_begin = 0
        self._process = None
        self.environment = None  # of the next start; None: this process's

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        self._log_begin = self._log.stat().st_size if self._log.exists() else 0
        with open(self._log, "ab") as log:
            self._process = self._link.spawn(self._side, self._command, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, env=self.environment)

    def ready(self):
        """Whether this start has printed its `ready` line; raises if the process has ended."""
        with open(self._log, "rb") as log:
            log.seek(self._log_begin)
            if any(line.startswith(b"ready") for line in log):
                return True
        if self._process.poll() is not None:
            raise RuntimeError(f"tulpar {self._role} ended with {self._process.returncode}, see {self._log}")
        return False

    def wait_ready(self, timeout=30):
        if not until(self.ready, timeout, pause=0.02):
            raise TimeoutError(f"tulpar {self._role} was not ready within {timeout} s")

    def alive(self):
        return self._process.poll() is None

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self, timeout=15):
        """Ends it as systemd would; returns its exit code."""
        self._process.terminate()
        return self._process.wait(timeout)

    def _ask(self, path):
        connection = _UnixConnection(self.state / "tulpar.sock")
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        code, body = self._ask(path)
        if code != 200:
            raise RuntimeError(f"GET {path} at the {self._role}: {code} {body[:300]!r}")
        return json.loads(body)

    def unhealthy(self):
        """What /healthz says is wrong; empty: nothing."""
        code, body = self._ask("/healthz")
        return "" if code == 200 else body.decode(errors="replace")

    def status(self):
        return self.get("/api/v1/status")

    def ledger(self):
        return self.status()["ledger"]


class Bench:
    """A relay with its broker at the link's `net` side, and a gateway with its broker at `site`."""

    def __init__(self, link, folder, binary, classes=(), rules=(), rate=None, managed=False, plan=None):
        """`rate`: what the gateway's configuration says of the link, bits a second. `managed`: the gateway runs its
        own broker, on the port where else the lab's would be. `plan`: the table [link.plan]."""
        self.link, self.binary, self._managed = link, binary, managed
        self.sink_broker = None  # its process
        self.folder = pathlib.Path(folder)
        self.relay = Daemon(link, "net", binary, "relay", self.folder)
        self.gateway = Daemon(link, "site", binary, "gateway", self.folder)
        common = {"channel": CHANNELS, "class": list(classes)}
        broker = {"host": "127.0.0.1", "port": mqtt.PORT}
        self._write(self.relay, {
            "name": "lab-relay", "state_dir": str(self.relay.state), **common,
            "listen": {"tls": f"0.0.0.0:{RELAY_PORT}"},
            "sink": [{"type": "mqtt", **broker}], "source": [{"type": "mqtt", **broker}]})
        self._enrolment = self.folder / "enrolment"
        self._write(self.gateway, {
            "name": GATEWAY, "state_dir": str(self.gateway.state), **common, "rule": [SOS_RULE, *rules],
            "mqtt": {**({"listen": f"0.0.0.0:{mqtt.PORT}"} if managed else broker), "topics": ["msh/#", "mesh/#"]},
            "link": [{"name": "sat", "transport": "tls", "enrolment_file": str(self._enrolment),
                      "rate": f"{rate or 9600}bit/s", **({"plan": plan} if plan else {})}]})

    def start_relay(self):
        """With its broker; and enrols the gateway."""
        self.sink_broker = mqtt.broker(self.link, "net", self.folder, "net-broker")
        self.relay.start()
        self.relay.wait_ready()
        enrolled = self.link.run("net", [self.binary, "enrol", GATEWAY, "--config", self.relay.config,
                                         "--address", f"{self.link.net_ip}:{RELAY_PORT}"],
                                 text=True, capture_output=True)
        if enrolled.returncode or enrolled.stdout.count("\n") != 1:
            raise RuntimeError(f"tulpar enrol: {enrolled.returncode} {enrolled.stdout!r} {enrolled.stderr!r}")
        with open(self._enrolment, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(enrolled.stdout)

    def start_gateway(self):
        """With its broker; returns once it hears the mesh, its link is open, and all is quiet."""
        if not self._managed:
            mqtt.broker(self.link, "site", self.folder, "site-broker")
        self.gateway.start()
        self.gateway.wait_ready()
        if not until(self.connected, 60):
            raise TimeoutError(f"the gateway did not connect: {self.gateway.status()}")
        self.link.wait_quiet(2, timeout=30)

    def connected(self):
        status = self.gateway.status()
        return status["mesh"]["connected"] and status["links"][0]["session_opens"] > 0

    def wait_drained(self, accepted, timeout):
        """Waits until the gateway has accepted that many and holds none; returns its ledger then, or at the end."""
        def ledger():
            now = self.gateway.ledger()
            return now if now["accepted"] >= accepted and not now["queued"] else None
        return until(ledger, timeout, pause=0.25) or self.gateway.ledger()

    @staticmethod
    def _write(daemon, tables):
        daemon.state.mkdir()
        daemon.config.write_text(toml(tables) + "\n")
