# SPDX-License-Identifier: Apache-2.0
"""Clients as no library makes them: MQTT written byte by byte, web clients that do not read; and what that costs.

Sockets are made inside a namespace of the link; each object is used by one thread at a time.
"""
import pathlib
import re
import select
import socket
import time

from .mesh import varint
from .mqtt import PORT

CHUNKS = 100  # a second: a flood leaves in so many writes


def publish(topic, payload, packet=0):
    """A PUBLISH of MQTT 3.1.1; QoS 1 with a packet identifier, else 0. Any bytes are taken for a topic."""
    body = len(topic).to_bytes(2, "big") + topic + (packet.to_bytes(2, "big") if packet else b"") + payload
    return (b"\x32" if packet else b"\x30") + varint(len(body)) + body


class RawMqtt:
    """A connection to a broker that sends what it is given."""

    def __init__(self, link, side, name, port=PORT):
        with link.inside(side):
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name.encode()
        self._socket.sendall(b"\x10" + varint(len(body)) + body)
        if self._socket.recv(4)[:1] != b"\x20":
            raise RuntimeError("the broker did not take a connection")
        self.acknowledged = 0  # PUBACKs, in bytes of four each

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, packet):
        """Returns False once the broker has closed."""
        try:
            self._socket.sendall(packet)
            return True
        except OSError:
            return False

    def closed_within(self, seconds):
        """Waits for the broker to close."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                try:
                    if not self._socket.recv(4096):
                        return True
                except OSError:
                    return True
        return False

    def flood(self, packets, rate):
        """Sends at `rate` packets a second, reads the acknowledgements; returns how many seconds it took until the last
        packet was acknowledged."""
        began, sent, wanted = time.monotonic(), 0, 4 * len(packets)
        self._socket.setblocking(False)
        unsent = b""
        while self.acknowledged < wanted:
            due = min(len(packets), int((time.monotonic() - began) * rate) + 1)
            unsent += b"".join(packets[sent:due])
            sent = due
            ready = select.select([self._socket], [self._socket] if unsent else [], [], 1 / CHUNKS)
            if ready[0]:
                got = len(self._socket.recv(65536))
                if not got:
                    raise RuntimeError(f"the broker closed after {self.acknowledged // 4} packets")
                self.acknowledged += got
            if ready[1]:
                unsent = unsent[self._socket.send(unsent):]
            if sent < len(packets):
                time.sleep(1 / CHUNKS)
        self._socket.settimeout(30)
        return time.monotonic() - began


class DeafClients:
    """Connections to the page's port: some that follow the live feed and never read, some that say nothing."""

    def __init__(self, link, side, port, token, feeds, idle):
        with link.inside(side):
            self._sockets = [self._connect(port) for _ in range(feeds + idle)]
        for live in self._sockets[:feeds]:
            live.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n"
                         b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         b"Authorization: Bearer " + token.encode() + b"\r\n\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self._sockets:
            connection.close()

    @staticmethod
    def _connect(port):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # filled soon
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        return connection


def most_resident_mb(pid):
    """The most memory that a process has had so far, as the kernel keeps it: no moment is too short to be seen."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+)", status, re.M)[1]) * 1024 / 1e6
