# SPDX-License-Identifier: Apache-2.0
"""Traffic of a Meshtastic mesh: made here from a seed, or the recorded corpus where it is at hand.

`Mesh(seed).messages(n)` makes ServiceEnvelopes with what was measured on a real mesh (BerlinMesh, one gateway): half
positions, a third telemetry, a sixth packets of channels that nobody here can open, a few texts; about 175 senders, of
which a few send most; 10 s between packets; each packet has an id of its own. The same arguments always make the same
bytes. `traffic(n)` prefers the corpus: $TULPAR_SHARED/corpus, or ../shared/corpus beside the project.
"""
import base64
import ctypes
import functools
import json
import math
import os
import pathlib
import random
import struct
from dataclasses import dataclass

BROADCAST = 0xFFFFFFFF
TEXT, POSITION, TELEMETRY = 1, 3, 67  # Meshtastic's port numbers
DEFAULT_KEY = bytes.fromhex("d4f1bb3a20290759f0bcffabcf4e6901")  # what the public key "AQ==" stands for
SECONDS_BETWEEN = 9.6  # 374 packets an hour
START = 1_764_000_000  # rx_time of the first packet; any plausible moment


@dataclass(frozen=True)
class Message:
    """What is published: a topic and the payload's bytes."""

    topic: str
    payload: bytes


# --- protobuf's wire format, as much as is needed here


def varint(value):
    value &= (1 << 64) - 1  # a negative int32 is written as 64-bit two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(tag, value):
    return varint(tag << 3) + varint(value)


def fixed(tag, value):
    return varint(tag << 3 | 5) + struct.pack("<I", value & BROADCAST)


def real(tag, value):
    return varint(tag << 3 | 5) + struct.pack("<f", value)


def block(tag, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(tag << 3 | 2) + varint(len(value)) + value


# --- the channel's cipher


@functools.cache
def _libcrypto():
    library = ctypes.CDLL("libcrypto.so.3")  # OpenSSL 3: the project itself needs it
    for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_ctr", "EVP_aes_256_ctr"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


def aes_ctr(key, nonce, data):
    """AES-128 or AES-256 in counter mode, by the key's length; encrypts and decrypts. `nonce`: 16 bytes."""
    library = _libcrypto()
    cipher = {16: library.EVP_aes_128_ctr, 32: library.EVP_aes_256_ctr}[len(key)]()
    context = ctypes.c_void_p(library.EVP_CIPHER_CTX_new())
    out, written = ctypes.create_string_buffer(len(data)), ctypes.c_int()
    try:
        if not library.EVP_EncryptInit_ex(context, ctypes.c_void_p(cipher), None, key, nonce):
            raise RuntimeError("EVP_EncryptInit_ex failed")
        if not library.EVP_EncryptUpdate(context, out, ctypes.byref(written), data, len(data)):
            raise RuntimeError("EVP_EncryptUpdate failed")
    finally:
        library.EVP_CIPHER_CTX_free(context)
    return out.raw[: written.value]


@dataclass(frozen=True)
class Channel:
    name: str = "LongFast"
    key: bytes = DEFAULT_KEY

    @property
    def hash(self):
        return functools.reduce(int.__xor__, self.name.encode() + self.key)

    def encrypt(self, sender, packet_id, data):
        return aes_ctr(self.key, struct.pack("<QII", packet_id, sender, 0), data)


def data(port, payload, bitfield=1):
    """Meshtastic's Data; bit 0 of the bitfield is ok_to_mqtt."""
    return number(1, port) + block(2, payload) + number(9, bitfield)


def envelope(sender, packet_id, content, channel, gateway, encrypted=False, tail=b""):
    """A ServiceEnvelope; `content` is a Data, `tail` the packet's fields from 7 (rx_time) on, encoded."""
    if encrypted:
        body = number(3, channel.hash) + block(5, channel.encrypt(sender, packet_id, content))
    else:
        body = block(4, content)
    packet = fixed(1, sender) + fixed(2, BROADCAST) + body + fixed(6, packet_id) + tail
    return block(1, packet) + block(2, channel.name) + block(3, f"!{gateway:08x}")


# --- the mesh

_WORDS = ("hello mesh net test node range good morning anyone here copy loud and clear from the roof antenna battery "
          "solar weather rain wind bridge road closed water bread doctor tonight meet at market school river north")
_PRECISION = ((13, 41), (32, 16), (17, 14), (14, 11), (15, 7), (16, 11))  # bits of a position, and their shares


class _Node:
    def __init__(self, r):
        self.random = r
        self.id = r.randrange(0x1000_0000, 0xFFFF_0000)
        self.latitude, self.longitude = r.randrange(432_000_000, 434_000_000), r.randrange(768_000_000, 770_000_000)
        self.precision = r.choices(*zip(*_PRECISION))[0]
        self.moves = r.random() < 0.15
        self.names_satellites = r.random() < 0.45  # sends how many its receiver sees, and how well
        self.battery, self.booted = r.choice((101.0, r.uniform(40, 100))), START - r.randrange(3_000_000)
        self.snr, self.hop_start = r.uniform(-15, 8), r.choice((5, 5, 5, 7))
        self.hops = r.randrange(self.hop_start)
        self.consents = int(r.random() < 0.4)  # ok_to_mqtt

    def position(self, now):
        r = self.random
        if self.moves:
            self.latitude += r.randrange(-9000, 9000)
            self.longitude += r.randrange(-9000, 9000)
        # Receivers round to the precision's cell and give its centre.
        keep, centre = BROADCAST << (32 - self.precision), 1 << (31 - self.precision) if self.precision < 32 else 0
        out = fixed(1, self.latitude & keep | centre) + fixed(2, self.longitude & keep | centre)
        out += number(3, 760 + self.id % 90) + fixed(4, now - r.randrange(4)) + number(5, 2)
        if self.names_satellites:
            out += number(11, r.randrange(90, 260))
        out += number(15, r.randrange(20) if self.moves else 0) + number(16, r.randrange(360) * 100_000)
        if self.names_satellites:
            out += number(19, r.randrange(5, 14))
        return out + number(23, self.precision)

    def telemetry(self, now):
        r = self.random
        if self.battery <= 100:
            self.battery = max(5.0, self.battery - r.random() * 0.2)
        metrics = number(1, int(self.battery)) + real(2, round(3.3 + self.battery * 0.009, 3))
        metrics += real(3, r.randrange(1, 2400) / 60) + real(4, r.randrange(1, 600) / 180)
        return fixed(1, now) + block(2, metrics + number(5, now - self.booted))

    def text(self, _now):
        r, words = self.random, _WORDS.split()
        return " ".join(r.choice(words) for _ in range(min(30, 1 + int(r.expovariate(1 / 6)))))

    def reception(self, now):
        """The packet's fields from rx_time on, as the gateway's node heard it."""
        snr = round((self.snr + self.random.uniform(-3, 3)) * 4) / 4
        heard = fixed(7, now) + real(8, snr) + number(9, self.hop_start - self.hops)
        return heard + number(12, int(-90 + snr * 2)) + number(15, self.hop_start) + number(19, self.id & 0xFF or 1) \
            + number(21, 1)


class Mesh:
    """A mesh as one of its gateways reports it. Not thread-safe."""

    def __init__(self, seed=1, nodes=150, encrypted=False, channel=Channel(), region="EU_868"):
        self._random = random.Random(seed)
        self._encrypted, self._channel, self._region = encrypted, channel, region
        self._foreign = Channel("Valley", self._random.randbytes(16))  # its key is known to nobody
        self._nodes = [self._make_node() for _ in range(nodes)]
        self._strangers = [self._make_node() for _ in range(max(1, nodes // 6))]
        self._gateway = self._make_node().id
        self._used = set()  # (sender, packet id)
        self._now = float(START)

    def messages(self, count):
        return [self._next() for _ in range(count)]

    def _make_node(self):
        return _Node(random.Random(self._random.random()))

    def _sender(self, nodes, chatty):
        """A few senders send most: the n-th one n^-0.6 of the first; of telemetry every third is the chatty one's."""
        if chatty and self._random.random() < 0.5:
            return nodes[0]
        # The inverse of the sum of n^-0.6, which grows with n^0.4.
        return nodes[math.floor(len(nodes) * self._random.random() ** 2.5)]

    def _packet_id(self, sender):
        while (key := (sender, self._random.randrange(1, BROADCAST))) in self._used:
            pass
        self._used.add(key)
        return key[1]

    def _next(self):
        self._now += self._random.expovariate(1 / SECONDS_BETWEEN)
        now = int(self._now)
        port = self._random.choices((POSITION, TELEMETRY, TEXT, None), (49.8, 32.7, 1.8, 15.7))[0]
        node = self._sender(self._nodes if port else self._strangers, chatty=port == TELEMETRY)
        make = {POSITION: node.position, TELEMETRY: node.telemetry, TEXT: node.text}
        content = data(port, make[port](now), node.consents) if port else self._random.randbytes(
            min(200, 16 + int(self._random.expovariate(1 / 24))))
        channel = self._channel if port else self._foreign
        payload = envelope(node.id, self._packet_id(node.id), content, channel, self._gateway,
                           self._encrypted or not port, node.reception(now))
        return Message(f"msh/{self._region}/2/e/{channel.name}/!{self._gateway:08x}", payload)


# --- the recording


def shared():
    """The folder with the corpus and the vectors; None where it is not at hand."""
    given = os.environ.get("TULPAR_SHARED")
    folder = pathlib.Path(given) if given else pathlib.Path(__file__).resolve().parents[3] / "shared"
    return folder if folder.is_dir() else None


def corpus(encrypted=False):
    """The recorded messages in order of time; None where they are not at hand."""
    folder = shared()
    path = folder and folder / "corpus" / f"mesh_{'encrypted' if encrypted else 'decoded'}.jsonl"
    if not path or not path.exists():
        return None
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return [Message(line["topic"], base64.b64decode(line["b64"])) for line in lines]


def traffic(count, seed=1, encrypted=False):
    """(messages, "corpus" or "synthetic"): the recording as far as it goes, else a mesh of our own."""
    recorded = corpus(encrypted)
    if recorded and count <= len(recorded):
        return recorded[:count], "corpus"
    return Mesh(seed, encrypted=encrypted).messages(count), "synthetic"
