# SPDX-License-Identifier: Apache-2.0
"""The bench's own judgement: limits that fail, figures without a peer, and the packets that its publisher plays."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench.table import Table, number  # noqa: E402
from lab.mesh import Message  # noqa: E402

SKIPPED = 77
if importlib.util.find_spec("paho") is None:
    print("bench_test skipped: needs python3-paho-mqtt")
    sys.exit(SKIPPED)
from bench import ingest  # noqa: E402
from lab.bridge import hourly  # noqa: E402


class TableTest(unittest.TestCase):
    def ok(self, tulpar, peer=None, **limit):
        table = Table()
        table.add("good", 1, at_most=1)
        table.add("x", tulpar, peer, **limit)
        self.assertEqual(json.loads(table.line())["ok"], table.ok)
        return table.ok

    def test_limits_include_their_bound(self):
        for limit in ({"at_most": 5}, {"at_least": 5}, {"ratio_at_least": 0.5}, {}):
            self.assertTrue(self.ok(5, 10, **limit), limit)

    def test_one_missed_limit_fails_the_run(self):
        self.assertFalse(self.ok(5.01, 10, at_most=5))
        self.assertFalse(self.ok(4.99, 10, at_least=5))
        self.assertFalse(self.ok(4.99, 10, ratio_at_least=0.5))

    def test_a_ratio_without_a_peer_does_not_hold(self):
        self.assertFalse(self.ok(5, None, ratio_at_least=0.5))

    def test_the_text_says_which(self):
        table = Table()
        table.add("speed", 50, 200, ratio_at_least=0.75)
        table.add("size", 3.5)
        lines = table.text().splitlines()
        self.assertEqual(lines[2].split(), ["speed", "50", "200", "0.25", "ratio", "at", "least", "0.75", "no"])
        self.assertEqual(lines[3].split(), ["size", "3.50", "-", "-"])

    def test_numbers_are_short(self):
        self.assertEqual([number(n) for n in (None, 0.754, 5.0, 20, 106.2, 48123.4)],
                         ["-", "0.75", "5", "20", "106", "48,123"])


class PacketsTest(unittest.TestCase):
    def packets(self, *messages):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "packets")
            ingest.write_packets(path, messages)
            return path.read_bytes()

    def test_a_publish_packet(self):
        # MQTT 3.1.1, 3.3: QoS 1, nine bytes follow, topic of three, identifier 1.
        self.assertEqual(self.packets(Message("a/b", b"xy")), b"\x32\x09\x00\x03a/b\x00\x01xy")

    def test_a_length_of_two_bytes_and_identifiers_in_turn(self):
        first, second = Message("t", bytes(200)), Message("t", b"")
        self.assertEqual(self.packets(first, second),
                         b"\x32\xcd\x01\x00\x01t\x00\x01" + bytes(200) + b"\x32\x05\x00\x01t\x00\x02")

    def test_identifiers_never_are_zero(self):
        last = self.packets(*[Message("t", b"")] * 65_536)[-7:]
        self.assertEqual(last, b"\x32\x05\x00\x01t\x00\x01")


class IdleHourTest(unittest.TestCase):
    def hour(self, *bursts, until=660):
        """What is told of a link that sends these (second, bytes), looked at twice a second."""
        return hourly([(t / 2, sum(size for at, size in bursts if at <= t / 2)) for t in range(2 * until)])

    def test_whole_periods_whatever_the_window_cuts(self):
        for first in (1, 150, 299):
            self.assertAlmostEqual(self.hour((first, 104), (first + 300, 104)), 1248)

    def test_a_packet_and_its_late_answer_are_one_burst(self):
        self.assertAlmostEqual(self.hour((10, 52), (12, 52), (310, 52), (312, 52)), 1248)

    def test_a_session_that_ends_is_counted(self):
        self.assertAlmostEqual(self.hour((10, 104), (310, 1104)), 13248)

    def test_too_few_to_tell_a_period(self):
        self.assertEqual(self.hour(), 0)
        self.assertAlmostEqual(self.hour((5, 100), until=600), 600, delta=1)


class RunTest(unittest.TestCase):
    def test_an_unknown_part_is_refused(self):
        run = pathlib.Path(__file__).with_name("run")
        done = subprocess.run([sys.executable, run, "--only", "nothing"], text=True, capture_output=True,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("ingest", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
