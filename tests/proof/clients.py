# SPDX-License-Identifier: Apache-2.0
"""The soak's outside ends: a publisher that hands over each message once, whatever happens, and a subscriber that
misses nothing which its broker still knows.

Each runs in a thread of its own; what they noted may be read from any thread. Times are boot time in ms, as in stores.
"""
import contextlib
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lab.mqtt import PORT

from .traffic import digest

RETRY = 0.2  # seconds
LOOP = 0.02
FOREVER = 0xFFFFFFFF  # MQTT 5, 3.1.2.11.2


def boot_ms():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class _Thread:
    """Runs self._run() in the namespace of one side until close()."""

    def __init__(self, link, side):
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        with link.inside(side):
            self._thread.start()  # the thread inherits the namespace, and so does every socket that it makes

    def close(self):
        self._closing.set()
        self._thread.join()


class Publisher(_Thread):
    """MQTT 3.1.1. A message whose PUBACK did not come before the connection went is not sent again: so each was
    accepted by its broker once at most, and what comes out twice was doubled by somebody else.

    What goes at QoS 0 has no PUBACK; that of a later message on the same connection says that the broker has read it.
    """

    def __init__(self, link, side):
        self.handed, self.acknowledged = {}, {}  # topic -> when
        # Publishing at QoS 0 calls back at once, on this thread.
        self._due, self._lock = [], threading.RLock()
        self._client, self._up = None, False
        self._mids = {}  # packet number -> what its PUBACK says that the broker has
        self._unproven = []  # topics that went at QoS 0 since the last at QoS 1
        super().__init__(link, side)

    def play(self, messages):
        """Publishes them in order, each at its time, counted from now; late where there is no connection."""
        begin = time.monotonic()
        with self._lock:
            self._due += [(begin + message.at, message) for message in messages]

    def idle(self):
        """Whether all has been handed over, and answered as far as it will be."""
        with self._lock:
            return not self._due and not self._mids

    def _run(self):
        while not self._closing.is_set():
            if self._client is None and not self._connect():
                time.sleep(RETRY)
                continue
            self._publish_due()
            if self._client.loop(LOOP) != paho.MQTT_ERR_SUCCESS:
                self._forget()

    def _connect(self):
        client = paho.Client(protocol=paho.MQTTv311, clean_session=True)
        client.max_inflight_messages_set(1000)
        client.on_connect = lambda _client, _data, _flags, code: setattr(self, "_up", code == 0)
        client.on_publish = self._on_publish
        try:
            client.connect("127.0.0.1", PORT)
        except OSError:
            return False
        self._client = client
        return True

    def _forget(self):
        with contextlib.suppress(OSError):
            self._client.disconnect()
        with self._lock:
            self._client, self._up = None, False
            self._mids.clear()
            self._unproven.clear()

    def _publish_due(self):
        while self._up and self._due and self._due[0][0] <= time.monotonic():
            with self._lock:
                message = self._due.pop(0)[1]
                self.handed[message.topic] = boot_ms()
                info = self._client.publish(message.published_as, message.payload, qos=message.qos)
                if info.rc != paho.MQTT_ERR_SUCCESS:
                    return  # not sent at all, or it may have been: either way nothing was promised
                self._unproven.append(message.topic)
                if message.qos:
                    self._mids[info.mid], self._unproven = self._unproven, []

    def _on_publish(self, _client, _data, mid):
        with self._lock:
            self.acknowledged.update(dict.fromkeys(self._mids.pop(mid, ()), boot_ms()))


class Subscriber(_Thread):
    """MQTT 5, QoS 1, a session that outlives the connection. Keeps of each arrival (topic, digest, tulpar-id)."""

    def __init__(self, link, side, filters):
        self.arrivals = []
        self.sessions_lost = 0  # times that the broker had forgotten us
        self._filters, self._name, self._begun = filters, f"soak-{side}", False
        self.ready = threading.Event()
        super().__init__(link, side)

    def _run(self):
        client = paho.Client(client_id=self._name, protocol=paho.MQTTv5)
        client.on_connect, client.on_message = self._on_connect, self._on_message
        client.on_subscribe = lambda *_: self.ready.set()
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = FOREVER
        while not self._closing.is_set():
            try:
                client.connect("127.0.0.1", PORT, clean_start=False, properties=properties)
            except OSError:
                time.sleep(RETRY)
                continue
            while not self._closing.is_set() and client.loop(LOOP) == paho.MQTT_ERR_SUCCESS:
                pass
        client.disconnect()

    def _on_connect(self, client, _data, flags, _code, _properties):
        self.sessions_lost += self._begun and not flags["session present"]
        self._begun = True
        client.subscribe([(name, 1) for name in self._filters])  # the session may be there without them

    def _on_message(self, _client, _data, message):
        properties = dict(getattr(message.properties, "UserProperty", ()))
        self.arrivals.append((message.topic, digest(message.payload), properties.get("tulpar-id")))
