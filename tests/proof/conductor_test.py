# SPDX-License-Identifier: Apache-2.0
"""The one who kills: what it does to a world of puppets, and what it notices of their deaths. Time is an argument."""
import importlib.util
import itertools
import pathlib
import signal
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
if importlib.util.find_spec("paho") is None:
    print("conductor_test skipped: needs python3-paho-mqtt")
    sys.exit(77)
from proof import conductor  # noqa: E402
from proof.evidence import Books  # noqa: E402
from proof.faults import Fault  # noqa: E402

EVEN = dict(accepted=1, delivered=1, expired=0, conflated=0, dropped=0, queued=0)


class Puppet:
    def __init__(self):
        self.store, self.code, self.starts, self.signals, self.books = "store", 0, [], [], EVEN
        self.noted = []

    def start(self, fail=""):
        self.starts.append(fail)
        self.code = None

    def kill(self):
        self.code = -signal.SIGKILL

    def stop(self, timeout):
        return 0

    def ended(self):
        return self.code

    def signal(self, number):
        self.signals.append(number)

    def points(self, word):
        return self.noted if word == "kill" else []

    def ready(self):
        return self.code is None

    def ledger(self):
        return self.books


class ConductorTest(unittest.TestCase):
    def setUp(self):
        self.now = 100.0
        self.world = mock.Mock(gateway=Puppet(), relay=Puppet(), site=Puppet(), net=Puppet())
        self.stores, self.looks = Books(), []
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        clock = mock.Mock(monotonic=lambda: self.now, sleep=lambda seconds: self.pass_time(seconds))
        for name, to in (("time", clock), ("boot_ms", lambda: round(self.now * 1000)),
                         ("read_books", lambda path, thorough: self.looks.append(thorough) or self.stores)):
            patched = mock.patch.object(conductor, name, to)
            patched.start()
            self.addCleanup(patched.stop)
        self.conductor = conductor.Conductor(self.world, folder.name)
        self.addCleanup(self.conductor.close)
        for name in ("gateway", "relay", "site", "net"):
            self.conductor.start(name)
        self.conductor.run(0.1)

    def pass_time(self, seconds):
        self.now += seconds

    def play(self, *faults, seconds=10.0):
        self.conductor.play([Fault(*fault) for fault in faults])
        self.conductor.run(seconds)

    def test_a_quiet_world(self):
        self.assertTrue(self.conductor.settled())
        self.assertEqual(self.conductor.counts["ledgers_read"], 2)
        self.assertEqual(self.conductor.findings, [])

    def test_who_is_killed_is_looked_at_and_comes_back_armed(self):
        self.conductor.next_arm["relay"] = iter(["sink.noted:1=kill", ""])
        self.play((1.0, "kill", "relay", 0.5), seconds=1.3)
        self.assertEqual(self.world.relay.code, -signal.SIGKILL)
        self.assertFalse(self.conductor.settled())
        self.conductor.run(1.0)
        self.assertEqual(self.world.relay.starts, ["", "sink.noted:1=kill"])
        self.assertTrue(self.conductor.settled())
        counts = self.conductor.counts
        self.assertEqual((counts["kills"], counts["relay_kills"], counts["books_read"], counts["ledgers_read"]),
                         (1, 1, 1, 3))

    def test_who_is_dead_is_not_killed_again(self):
        self.play((1.0, "kill", "relay", 5), (2.0, "kill", "relay", 5), (2.5, "freeze", "relay", 1))
        self.assertEqual(self.conductor.counts["kills"], 1)
        self.assertEqual(self.world.relay.signals, [])

    def test_brokers_are_killed_and_the_moment_is_kept(self):
        self.play((1.0, "kill", "net", 0.5))
        (moment,) = self.conductor.broker_kills["net"]
        self.assertAlmostEqual(moment, 101_100, delta=50)
        self.assertEqual(len(self.world.net.starts), 2)
        self.assertEqual(self.conductor.counts["net_broker_kills"], 1)
        self.assertEqual(self.conductor.broker_kills["site"], [])

    def test_a_death_at_a_fail_point_is_one_of_the_kills(self):
        self.world.gateway.noted, self.world.gateway.code = ["store.commit"], -signal.SIGKILL
        self.conductor.next_pause["gateway"] = itertools.repeat(0.7)
        self.conductor.run(0.5)
        self.assertEqual(len(self.world.gateway.starts), 1)
        self.conductor.run(0.5)
        self.assertEqual(len(self.world.gateway.starts), 2)
        self.assertEqual((self.conductor.counts["kills"], self.conductor.findings), (1, []))
        self.assertEqual(self.conductor.deaths, {"gateway": ["store.commit"], "relay": []})

    def test_a_death_of_its_own_is_found_and_it_is_started_again(self):
        for code in (1, -signal.SIGABRT, -signal.SIGKILL):  # the last: of no fail point, and not by us
            self.world.gateway.code = code
            self.conductor.run(2.0)
        self.assertEqual(len(self.conductor.findings), 3)
        self.assertIn("ended by itself, with -6", self.conductor.findings[1])
        self.assertEqual(len(self.world.gateway.starts), 4)

    def test_wrong_books_are_found_on_the_disk(self):
        self.stores = Books(books={(False, "normal"): {**EVEN, "queued": 1}})
        self.play((1.0, "kill", "gateway", 0.5))
        self.assertEqual(self.conductor.counts["books_wrong"], 1)
        self.assertIn("books of the gateway: link, normal: does not balance", self.conductor.findings[0])

    def test_indices_are_compared_now_and_then_and_at_the_end(self):
        for _ in range(2 * conductor.THOROUGH):
            self.play((0.1, "kill", "gateway", 0.1), seconds=0.5)
        self.play((0.1, "kill", "relay", 0.1), seconds=0.5)  # counts for itself
        seldom = [False] * (conductor.THOROUGH - 1)
        self.assertEqual(self.looks, [*seldom, True, *seldom, True, False])
        self.conductor.stop("relay")
        self.assertTrue(self.looks[-1])
        self.assertEqual(self.conductor.counts["files_compared"], 3)

    def test_a_wrong_ledger_is_found_once_it_serves(self):
        self.world.relay.books = {**EVEN, "accepted": 2}
        self.play((1.0, "kill", "relay", 0.5))
        self.assertEqual(self.conductor.counts["books_wrong"], 1)
        self.assertIn("ledger of the relay", self.conductor.findings[0])

    def test_who_is_frozen_is_thawed_and_not_asked_meanwhile(self):
        self.world.gateway.ready = lambda: False
        self.play((1.0, "kill", "gateway", 0.2), (1.0, "freeze", "net", 1), (2.0, "freeze", "gateway", 3), seconds=2.1)
        self.world.gateway.ready = lambda: True
        self.conductor.run(0.5)
        self.assertEqual(self.conductor.counts["ledgers_read"], 2)
        self.conductor.run(4.0)
        self.assertEqual(self.conductor.counts["ledgers_read"], 3)
        for name in ("gateway", "net"):
            self.assertEqual(getattr(self.world, name).signals, [signal.SIGSTOP, signal.SIGCONT])

    def test_the_link_heals_when_its_last_cut_ends(self):
        self.play((1.0, "cut", "link", 3), (2.0, "cut", "link", 5), seconds=6.5)
        self.assertEqual(self.world.link.mend.call_count, 0)
        self.conductor.run(1.0)
        self.assertEqual((self.world.link.cut.call_count, self.world.link.mend.call_count), (2, 1))

    def test_waiting_ends_with_what_is_waited_for(self):
        self.assertTrue(self.conductor.run(60, until=lambda: self.now >= 102))
        self.assertLess(self.now, 103)
        self.assertFalse(self.conductor.run(2, until=lambda: False))


if __name__ == "__main__":
    unittest.main()
