# SPDX-License-Identifier: Apache-2.0
"""The soak's two-way traffic, all of it from a seed: every class, 20 B to 300 kB, packets and plain topics.

Every message has a topic of its own, so that it can be told at any place that knows topics alone: a store whose bodies
are erased, a broker's log. Payloads are made when they are asked for: an hour of them is 100 MB.
"""
import dataclasses
import hashlib
import random
from dataclasses import dataclass

from lab import mesh
from lab.tulpar import GATEWAY

UP, DOWN = "up", "down"
PER_SECOND = {UP: 8.0, DOWN: 4.0}
NODES = 11
LARGEST = 300_000
# Kinds of plain messages: their class, their share, and their size in bytes, from and to (even in its logarithm).
KINDS = {"sos": ("emergency", 3, 20, 200), "text": ("message", 18, 20, 1000), "state": ("normal", 20, 20, 4000),
         "reading": ("telemetry", 14, 20, 200), "file": ("bulk", 5, 1000, LARGEST)}
QOS_0 = 0.3  # the share of what goes at QoS 0, as nodes do, where a managed broker makes up for it
PACKETS = 40  # the share of Meshtastic packets, whose class is the built-in rules' affair
RULES = [{"topic": f"mesh/+/+/{kind}/#", "class": cls} for kind, (cls, *_) in KINDS.items() if cls != "normal"]
# What the far side's subscribers ask for. Down, only what Tulpar brought: not what is published beside it for up.
FILTERS = {UP: ["mesh/+/up/#", "msh/EU_868/#"], DOWN: ["mesh/+/down/#", "msh/ANZ/#"]}


@dataclass(frozen=True)
class Message:
    at: float  # seconds from the begin
    way: str
    topic: str  # at the mesh
    size: int
    packet: bytes = b""  # a Meshtastic envelope; else the payload is made from topic and size
    qos: int = 1

    @property
    def published_as(self):
        return self.topic if self.way == UP else f"down/{GATEWAY}/{self.topic}"

    @property
    def payload(self):
        """Half words, half noise: what compresses, and what does not."""
        if self.packet:
            return self.packet
        r = random.Random(self.topic)
        words = (self.topic + " water bread doctor tonight bridge road closed " * (self.size // 90 + 1)).encode()
        return (words[:(self.size + 1) // 2] + r.randbytes(self.size // 2))[:self.size]


def digest(payload):
    return hashlib.blake2b(payload, digest_size=8).hexdigest()


def plain(r, way, serial, at, kind=None):
    kind = kind or r.choices(list(KINDS), [share for _, share, *_ in KINDS.values()])[0]
    _, _, least, most = KINDS[kind]
    size = round(least * (most / least) ** r.random())
    return Message(at, way, f"mesh/n{r.randrange(NODES)}/{way}/{kind}/{serial:07d}", size)


def stream(seed, way, seconds, first=0, qos_0=0.0):
    """The messages of one way in the order of their time; serial numbers count from `first`; `qos_0`: that share of
    them goes at QoS 0."""
    r, casual = random.Random(f"{seed} {way} {first}"), random.Random(f"{seed} {way} QoS")
    nodes = mesh.Mesh(seed=r.randrange(1 << 30), nodes=40, region={UP: "EU_868", DOWN: "ANZ"}[way])
    messages, at = [], 0.0
    while (at := at + r.expovariate(PER_SECOND[way])) < seconds:
        serial = first + len(messages)
        qos = 0 if casual.random() < qos_0 else 1
        if r.randrange(100) < PACKETS:
            packet = nodes.messages(1)[0]
            topic = f"{packet.topic.rsplit('/', 1)[0]}/!{serial:08x}"
            messages.append(Message(at, way, topic, len(packet.payload), packet.payload, qos))
        else:
            messages.append(dataclasses.replace(plain(r, way, serial, at), qos=qos))
    return messages


def burst(way, kind, count, per_second, first):
    """Equal in kind, evenly spaced."""
    r = random.Random(f"{way} {kind} {first}")
    return [Message(n / per_second, way, f"mesh/b{first + n}/{way}/{kind}/{first + n:07d}", r.randrange(20, 60))
            for n in range(count)]
