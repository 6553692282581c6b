# SPDX-License-Identifier: Apache-2.0
"""The judges themselves: a comparison that finds every kind of fault, limits that fail, a skip that shows."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tomllib
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from lab.scenario import SKIPPED, Report  # noqa: E402

if importlib.util.find_spec("paho") is None:
    print("harness_test skipped: needs python3-paho-mqtt")
    sys.exit(SKIPPED)
from lab.mesh import Message  # noqa: E402
from lab.mqtt import Arrival, Comparison, compare  # noqa: E402
from lab.tulpar import balanced, held, toml, until  # noqa: E402


class CompareTest(unittest.TestCase):
    def compare(self, *arrivals):
        published = [Message("a", b"1"), Message("a", b"2")]
        return compare(published, [Arrival(*arrival, at=0.0) for arrival in arrivals])

    def test_exactly_once(self):
        self.assertEqual(self.compare(("a", b"1", "i"), ("a", b"2", "j")), Comparison(0, 0, 0, 0, 0))

    def test_a_loss(self):
        self.assertEqual(self.compare(("a", b"1", "i")), Comparison(1, 0, 0, 0, 0))

    def test_a_copy_under_the_same_id(self):
        self.assertEqual(self.compare(("a", b"1", "i"), ("a", b"2", "j"), ("a", b"1", "i")), Comparison(0, 1, 0, 0, 0))

    def test_a_copy_under_another_id(self):
        self.assertEqual(self.compare(("a", b"1", "i"), ("a", b"2", "j"), ("a", b"1", "k")), Comparison(0, 1, 0, 1, 0))

    def test_an_id_of_two_messages_and_one_that_is_absent(self):
        self.assertEqual(self.compare(("a", b"1", "i"), ("a", b"2", "i")), Comparison(0, 0, 0, 0, 1))
        self.assertEqual(self.compare(("a", b"1", "i"), ("a", b"2", None)), Comparison(0, 0, 0, 1, 0))

    def test_a_changed_byte_is_a_loss_and_a_stranger(self):
        self.assertEqual(self.compare(("a", b"1", "i"), ("a", b"3", "j")), Comparison(1, 0, 1, 0, 0))
        self.assertEqual(self.compare(("a", b"1", "i"), ("b", b"2", "j")), Comparison(1, 0, 1, 0, 0))


class ReportTest(unittest.TestCase):
    def failures(self, value, **limit):
        report = Report("x")
        report.figure("n", value, **limit)
        return report.failures

    def test_limits_include_their_bound(self):
        for limit in ({"at_most": 5}, {"at_least": 5}, {"equals": 5}, {}):
            self.assertEqual(self.failures(5, **limit), [])

    def test_beyond_a_limit_fails(self):
        self.assertEqual(self.failures(6, at_most=5), ["n is 6, must be at most 5"])
        self.assertEqual(self.failures(4, at_least=5), ["n is 4, must be at least 5"])
        self.assertEqual(self.failures(0, equals=5), ["n is 0, must be exactly 5"])

    def test_limits_are_told_beside_the_figures(self):
        report = Report("x")
        report.figure("a", 1)
        report.figure("b", 2, at_least=1, at_most=3)
        report.figure("c", 3, equals=4)
        told = json.loads(report.line())
        self.assertEqual(told["limits"], {"b": "at most 3 and at least 1", "c": "exactly 4"})
        self.assertEqual((told["a"], told["b"], told["ok"]), (1, 2, False))


class DriverTest(unittest.TestCase):
    def test_configuration_survives_its_text(self):
        tables = {"name": "a \"b\" ä", "mqtt": {"port": 1883, "topics": ["x/#"], "tls": {"on": True}},
                  "class": held("600ms"), "link": [{"name": "sat", "plan": {"included": "50MB"}}], "sink": []}
        self.assertEqual(tomllib.loads(toml(tables)), tables)

    def test_books(self):
        ledger = dict(accepted=15, delivered=5, expired=4, conflated=3, dropped=2, queued=1, duplicates=9)
        self.assertTrue(balanced(ledger))
        for state in ("accepted", "delivered", "expired", "conflated", "dropped", "queued"):
            self.assertFalse(balanced({**ledger, state: ledger[state] + 1}), state)

    def test_until_gives_the_answer_or_the_last_one(self):
        answers = iter([0, None, 7, 8])
        self.assertEqual(until(lambda: next(answers), timeout=60, pause=0), 7)
        self.assertEqual(until(lambda: 0, timeout=0), 0)


class SkipTest(unittest.TestCase):
    def test_a_scenario_without_its_program_is_skipped_with_a_reason(self):
        for script in sorted((TESTS / "scenario").glob("*.py")):
            result = subprocess.run([sys.executable, script], text=True, capture_output=True,
                                    env={**os.environ, "TULPAR_BIN": "/nonexistent/tulpar"})
            self.assertEqual(result.returncode, SKIPPED, script)
            self.assertIn("skipped: needs", result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
