# SPDX-License-Identifier: Apache-2.0
"""Durable ingest: messages a second that the gateway takes and commits, beside a bare subscriber that stores nothing.

A round is: a fresh broker, a fresh subscriber (gateway or bare, in turn, so that a machine that slows down slows both),
and a publisher that sends everything as fast as the broker acknowledges. It lasts from the first PUBLISH until the last
message is committed (gateway) or its acknowledgement written (bare). The gateway's link is up, at 9600 bit/s.
"""
import os
import pathlib
import sqlite3
import statistics
import subprocess
import time

from lab import mesh, mqtt
from lab.satlink import SatLink
from lab.tulpar import Bench, held, until

WINDOW = 500  # unacknowledged publications: a busy mesh of nodes that each wait for their broker
RATE = 9600  # bits a second
PATIENCE = 120  # seconds for a round


def write_packets(path, messages):
    """MQTT 3.1.1 PUBLISH packets, QoS 1, back to back; their identifiers repeat only beyond any window."""
    with open(path, "wb") as file:
        for n, message in enumerate(messages):
            topic = message.topic.encode()
            body = len(topic).to_bytes(2, "big") + topic + (n % 65535 + 1).to_bytes(2, "big") + message.payload
            file.write(b"\x32" + mesh.varint(len(body)) + body)


class Disk:
    """The file system of a folder: `name` (its type and device) and `sync_ms`, what a commit there waits for."""

    def __init__(self, folder):
        self.name = subprocess.run(["findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", folder],
                                   stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        took = []
        with open(folder / "sync", "wb", buffering=0) as file:
            for _ in range(50):
                file.write(bytes(4096))
                began = time.monotonic()
                os.fdatasync(file.fileno())
                took.append(time.monotonic() - began)
        self.sync_ms = statistics.median(took) * 1000


class Ingest:
    """Rounds with the same messages. `tools`: the folder with the two programs of this one; `folder` is on the disk
    that is measured."""

    def __init__(self, folder, binary, tools, count):
        self._folder, self._binary, self._tools, self._count = folder, binary, tools, count
        self._packets = self._folder / "packets"
        self._rounds = 0
        write_packets(self._packets, mesh.Mesh(seed=1).messages(count))

    def gateway(self):
        """Messages a second that the gateway commits."""
        with SatLink(rate=RATE) as link:
            bench = Bench(link, self._round_folder(), self._binary, classes=held("600ms"), rate=RATE)
            bench.start_relay()
            bench.start_gateway()
            began = self._publish(link)
            ended = self._wait_committed(bench.gateway.state / "queue.db")
            if not until(lambda: bench.gateway.ledger()["accepted"] == self._count, timeout=5):
                raise RuntimeError(f"{self._count} messages published, the status says {bench.gateway.ledger()}")
        return self._count / (ended - began)

    def bare(self):
        """Messages a second that a subscriber takes which stores nothing."""
        with SatLink(rate=RATE) as link:
            mqtt.broker(link, "site", self._round_folder(), "site-broker")
            subscriber = link.spawn("site", [self._tools / "bench_bare_subscriber", mqtt.PORT, self._count],
                                    stdout=subprocess.PIPE, text=True)
            if subscriber.stdout.readline() != "ready\n":
                raise RuntimeError("the bare subscriber did not start")
            began = self._publish(link)
            ended = int(subscriber.communicate(timeout=PATIENCE)[0]) / 1e9
        return self._count / (ended - began)

    def _round_folder(self):
        self._rounds += 1
        folder = self._folder / f"round-{self._rounds}"
        folder.mkdir()
        return folder

    def _publish(self, link):
        """Returns when the first packet left."""
        done = link.run("site", [self._tools / "bench_publisher", mqtt.PORT, self._packets, WINDOW],
                        stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE)
        return int(done.stdout.split()[0]) / 1e9

    def _wait_committed(self, store):
        """Returns when the last message was on disk. Read from the store itself: the status follows 250 ms later."""
        reader = sqlite3.connect(f"file:{store}?mode=ro", uri=True, isolation_level=None)
        deadline = time.monotonic() + PATIENCE
        while reader.execute("SELECT sum(accepted) FROM book WHERE edge = 0").fetchone()[0] != self._count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all messages were committed within {PATIENCE} s")
            time.sleep(0.005)
        reader.close()
        return time.monotonic()
