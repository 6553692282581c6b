# SPDX-License-Identifier: Apache-2.0
"""The MQTT ends of the lab: brokers, publishers at a steady pace, collectors.

They run in this process and stand in one of the link's namespaces, so that one clock (time.monotonic) times both ends.
Callbacks run on paho's thread; every method here may be called from any thread.
"""
import contextlib
import pathlib
import socket
import threading
import time
from dataclasses import dataclass

import paho.mqtt.client as paho

PORT = 1883


def broker(link, side, folder, name="broker", lines=()):
    """Starts a mosquitto of that side on its loopback, which never drops for want of room; returns the process."""
    config = pathlib.Path(folder, f"{name}.conf")
    config.write_text("\n".join(["user root", f"listener {PORT} 127.0.0.1", "allow_anonymous true",
                                 "max_queued_messages 0", "persistence false", *lines, ""]))
    with open(pathlib.Path(folder, f"{name}.log"), "wb") as log:
        process = link.spawn(side, ["mosquitto", "-c", config], stdout=log, stderr=log)
    wait_port(link, side)
    return process


def wait_port(link, side, host="127.0.0.1", port=PORT, timeout=10):
    deadline = time.monotonic() + timeout
    while True:
        with link.inside(side), contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens on {host}:{port} at {side}")
        time.sleep(0.05)


class _Client:
    """A paho client with its thread, standing in a namespace."""

    def __init__(self, link, side, port, protocol):
        self._client = paho.Client(protocol=protocol)
        self._client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else Nagle adds 40 ms to what is timed
        self._connected = threading.Event()
        self._set_up()
        self._client.on_connect = self._on_connect
        with link.inside(side):
            self._client.connect("127.0.0.1", port)
            self._client.loop_start()  # the thread inherits the namespace, and so does each reconnect
        if not self._connected.wait(10):
            raise TimeoutError(f"no answer from the broker at {side}, port {port}")

    def _set_up(self):
        pass

    def _on_connect(self, *_):
        self._connected.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()


@dataclass(frozen=True)
class Sending:
    message: object  # mesh.Message
    at: float  # time.monotonic() just before it was handed over
    info: object  # paho's; is_published(): PUBACKed, or with QoS 0 written to the socket


class Publisher(_Client):
    def __init__(self, link, side, qos=1, port=PORT):
        self._qos = qos
        self._sendings = []
        super().__init__(link, side, port, paho.MQTTv311)  # what mesh nodes speak

    def _set_up(self):
        self._client.max_inflight_messages_set(1000)

    def send(self, message):
        at = time.monotonic()
        sending = Sending(message, at, self._client.publish(message.topic, message.payload, self._qos))
        self._sendings.append(sending)
        return sending

    def send_paced(self, messages, rate):
        """At `rate` a second, the first at once; catches up where it was late. Returns when the last is handed over."""
        begin = time.monotonic()
        for n, message in enumerate(messages):
            time.sleep(max(0.0, begin + n / rate - time.monotonic()))
            self.send(message)

    def acknowledged(self):
        """What the broker has taken: PUBACKed, or with QoS 0 written to its socket."""
        return [s.message for s in self._sendings if s.info.rc == paho.MQTT_ERR_SUCCESS and s.info.is_published()]

    def wait_acknowledged(self, count, timeout):
        deadline = time.monotonic() + timeout
        while len(self.acknowledged()) < count:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


@dataclass(frozen=True)
class Arrival:
    topic: str
    payload: bytes
    tulpar_id: str  # the user property; None where there is none
    at: float  # time.monotonic()

    @property
    def key(self):
        return self.topic, self.payload


class Collector(_Client):
    """Subscribes with MQTT v5 at QoS 1 and keeps what arrives, in order."""

    def __init__(self, link, side, topic="#", port=PORT):
        self._topic = topic
        self._arrivals = []
        self._changed = threading.Condition()
        super().__init__(link, side, port, paho.MQTTv5)

    def _set_up(self):
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._connected.set()

    def _on_connect(self, *_):
        self._client.subscribe(self._topic, qos=1)  # ready only once the broker has confirmed it

    def _on_message(self, _client, _data, message):
        properties = dict(getattr(message.properties, "UserProperty", ()))
        arrival = Arrival(message.topic, bytes(message.payload), properties.get("tulpar-id"), time.monotonic())
        with self._changed:
            self._arrivals.append(arrival)
            self._changed.notify_all()

    @property
    def arrivals(self):
        with self._changed:
            return list(self._arrivals)

    def wait(self, done, timeout):
        """Waits until done(arrivals) holds; returns whether it did."""
        with self._changed:
            return self._changed.wait_for(lambda: done(self._arrivals), timeout)

    def wait_for(self, messages, timeout):
        """Waits until each of the messages (topic and payload) has arrived; returns whether they all did."""
        wanted, read = {(message.topic, message.payload) for message in messages}, 0

        def all_there(arrivals):
            nonlocal read
            wanted.difference_update(arrival.key for arrival in arrivals[read:])
            read = len(arrivals)
            return not wanted

        return self.wait(all_there, timeout)


@dataclass(frozen=True)
class Comparison:
    """What was published against what arrived, by topic and payload."""

    missing: int  # published, never arrived
    copies: int  # arrivals beyond the first of each
    foreign: int  # arrived, never published
    torn_ids: int  # messages whose arrivals do not all bear one and the same tulpar-id
    shared_ids: int  # ids borne by more than one message


def compare(published, arrivals):
    wanted = {(message.topic, message.payload) for message in published}
    ids, owners = {}, {}
    for arrival in arrivals:
        ids.setdefault(arrival.key, set()).add(arrival.tulpar_id)
        owners.setdefault(arrival.tulpar_id, set()).add(arrival.key)
    return Comparison(missing=len(wanted - ids.keys()), copies=len(arrivals) - len(ids),
                      foreign=len(ids.keys() - wanted),
                      torn_ids=sum(1 for found in ids.values() if len(found) != 1 or None in found),
                      shared_ids=sum(1 for keys in owners.values() if len(keys) > 1))
