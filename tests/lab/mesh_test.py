# SPDX-License-Identifier: Apache-2.0
"""The traffic source: its bytes are Meshtastic's, its mix is the measured one, and a seed fixes all of it."""
import collections
import json
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.mesh import (Channel, Mesh, POSITION, TELEMETRY, TEXT, aes_ctr, corpus, data,  # noqa: E402
                      envelope, number, shared, traffic, varint)


def fields(message):
    """A protobuf message as {tag: value}; the wire types that the writer uses."""
    out, at = {}, 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = read_varint()
        if key & 7 == 0:
            out[key >> 3] = read_varint()
        else:
            size = 4 if key & 7 == 5 else read_varint()
            out[key >> 3] = message[at : at + size]
            at += size
    return out


class WireTest(unittest.TestCase):
    def test_varints(self):
        self.assertEqual([varint(n).hex() for n in (0, 127, 128, 300, -1)],
                         ["00", "7f", "8001", "ac02", "ffffffffffffffffff01"])
        self.assertEqual(number(15, 7).hex(), "7807")
        self.assertEqual(number(19, 252).hex(), "9801fc01")

    def test_counter_mode_against_the_published_vector(self):  # NIST SP 800-38A, F.5.1 and F.5.5
        counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
        plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
        short = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
        long = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
        self.assertEqual(aes_ctr(short, counter, plain).hex(),
                         "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff")
        self.assertEqual(aes_ctr(long, counter, plain).hex(),
                         "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5")

    def test_channel_hashes_of_the_default_key(self):
        self.assertEqual([Channel(name).hash for name in ("LongFast", "MediumFast", "ShortTurbo")], [8, 31, 14])

    def test_envelopes_against_the_vectors(self):
        if not shared() or not (path := shared() / "vectors" / "meshtastic.json").exists():
            self.skipTest("the byte-exact vectors are not at hand (TULPAR_SHARED)")
        text = json.dumps(json.loads(path.read_text()))
        tail = bytes.fromhex("3d00f1536548037803")  # rx_time, hop_limit 3, hop_start 3
        for encrypted in (False, True):
            made = envelope(0x7EFEEE00, 0x12345678, data(TEXT, b"Hello mesh"), Channel(), 0x7EFEEE00, encrypted, tail)
            self.assertIn(made.hex(), text)


class MeshTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = Mesh(seed=5).messages(3000)
        cls.packets = [fields(fields(message.payload)[1]) for message in cls.messages]

    def test_a_seed_fixes_every_byte(self):
        self.assertEqual(self.messages[:200], Mesh(seed=5).messages(200))
        self.assertNotEqual(self.messages[:200], Mesh(seed=6).messages(200))

    def test_no_packet_is_a_copy(self):
        self.assertEqual(len({(packet[1], packet[6]) for packet in self.packets}), 3000)

    def test_mix_and_sizes_are_the_measured_ones(self):
        ports = [fields(packet[4])[1] if 4 in packet else None for packet in self.packets]
        sizes = collections.defaultdict(list)
        for port, message in zip(ports, self.messages):
            sizes[port].append(len(message.payload))
        for port, share, mean in ((POSITION, 0.498, 108), (TELEMETRY, 0.327, 99), (None, 0.157, 111),
                                  (TEXT, 0.018, 110)):
            self.assertAlmostEqual(len(sizes[port]) / 3000, share, delta=0.03, msg=port)
            self.assertAlmostEqual(sum(sizes[port]) / len(sizes[port]), mean, delta=15, msg=port)

    def test_senders_repeat(self):
        senders = collections.Counter(packet[1] for packet in self.packets).most_common()
        self.assertGreater(len(senders), 120)
        self.assertGreater(senders[0][1], 300)
        self.assertGreater(sum(count for _, count in senders[:20]), 1000)

    def test_encrypted_packets_open_to_the_same_content(self):
        opened = 0
        for message, clear in zip(Mesh(seed=5, encrypted=True).messages(300), self.packets):
            packet = fields(fields(message.payload)[1])
            self.assertNotIn(4, packet)
            if 4 in clear:
                sender, packet_id = struct.unpack("<II", packet[1] + packet[6])
                self.assertEqual(packet[3], Channel().hash)
                self.assertEqual(Channel().encrypt(sender, packet_id, packet[5]), clear[4])
                opened += 1
        self.assertGreater(opened, 200)

    def test_topics_name_the_channel_and_the_gateway(self):
        for message in self.messages[:100]:
            outer = fields(message.payload)
            self.assertEqual(message.topic, f"msh/EU_868/2/e/{outer[2].decode()}/{outer[3].decode()}")


class TrafficTest(unittest.TestCase):
    def test_more_than_the_recording_holds_is_made(self):
        messages, source = traffic(1500)
        self.assertEqual((len(messages), source), (1500, "synthetic"))

    def test_the_recording_is_read_in_order(self):
        recorded = corpus()
        if recorded is None:
            self.skipTest("the corpus is not at hand (TULPAR_SHARED)")
        self.assertEqual(traffic(10), (recorded[:10], "corpus"))
        self.assertEqual(len(set(recorded)), len(recorded))


if __name__ == "__main__":
    unittest.main(verbosity=2)
