# SPDX-License-Identifier: Apache-2.0
"""What a seed decides: the same seed makes the same faults, lives and messages, and an hour of it holds what is
promised. Every fail point of the programs stands in one place and has its turn."""
import collections
import importlib.util
import itertools
import pathlib
import re
import sys
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))
from proof import faults  # noqa: E402

HOUR = 3600
POINTS = faults.points_of((PROJECT / "config" / "fail_point.hpp").read_text())


class ScheduleTest(unittest.TestCase):
    def test_a_seed_is_all_there_is_to_it(self):
        for make in (lambda seed: faults.schedule(seed, 120),
                     lambda seed: list(itertools.islice(faults.arms(seed, "gateway"), 40)),
                     lambda seed: list(itertools.islice(faults.restarts(seed, "gateway"), 40))):
            self.assertEqual(make(5), make(5))
            self.assertNotEqual(make(5), make(6))
        self.assertNotEqual(*(list(itertools.islice(faults.arms(5, role), 40)) for role in faults.DAEMONS))
        self.assertEqual(faults.schedule(5, 120), [f for f in faults.schedule(5, 240) if f.at < 120])

    def test_an_hour_has_a_thousand_kills_and_all_the_rest(self):
        for seed in range(5):
            plan = faults.schedule(seed, HOUR)
            kinds = collections.Counter((fault.what, fault.whom) for fault in plan)
            self.assertEqual(set(kinds), {(what, whom) for what, whom, *_ in faults.FAULTS})
            self.assertGreater(min(kinds.values()), 20)
            self.assertGreater(sum(count for (what, _), count in kinds.items() if what == "kill"), 1000)
            self.assertEqual([fault.at for fault in plan], sorted(fault.at for fault in plan))
            self.assertLess(plan[-1].at, HOUR)

    def test_each_fault_lasts_as_long_as_it_may(self):
        limits = {(what, whom): (least, most) for what, whom, _, least, most in faults.FAULTS}
        for fault in faults.schedule(1, HOUR):
            least, most = limits[fault.what, fault.whom]
            self.assertTrue(least <= fault.seconds <= most, fault)


class FailPointTest(unittest.TestCase):
    def test_every_point_is_armed_in_the_chaos_or_rehearsed(self):
        self.assertGreater(len(POINTS), 20)
        self.assertEqual(sorted([*faults.REACH, *faults.REHEARSED]), sorted(POINTS))

    def test_every_point_stands_in_one_place(self):
        found = collections.Counter()
        for folder in ("config", "queue", "bridge", "gateway"):
            for source in (PROJECT / folder).rglob("*.cpp"):
                found.update(re.findall(r'TULPAR_FAIL_POINT\("([^"]+)"\)', source.read_text()))
        self.assertEqual(found, dict.fromkeys(POINTS, 1))

    def test_every_point_has_its_turn_before_one_comes_again(self):
        armed, faint = (arm for arm in faults.arms(3, "relay") if arm), faults.FAINT["relay"]
        size = len(faults.REACH) + len(faint)
        for _ in range(3):
            turn = collections.Counter(arm.split(":")[0] for arm in itertools.islice(armed, size))
            self.assertEqual(turn, {point: 1 + (point in faint) for point in faults.REACH})
        for arm in itertools.islice(armed, 1000):
            self.assertRegex(arm, r"^([a-z._]+:[1-9]\d*=)(kill|[1-9]\d{2,3}|[1-9]\d{2},\1kill)$")
            point, passing = arm.split("=")[0].split(":")
            self.assertLessEqual(int(passing), faults.FAINT_REACH if point in faint else faults.REACH[point])

    def test_where_each_daemon_has_to_die_it_is_armed_or_rehearsed(self):
        for restored in faults.DAEMONS:
            mortal = faults.mortal(restored)
            self.assertEqual({point for points in mortal.values() for point in points}, set(POINTS))
            for name, points in mortal.items():
                self.assertLessEqual(set(faults.REACH), points)
                self.assertEqual(set(faults.RENEWAL) <= points, name == restored)


class SettingTest(unittest.TestCase):
    def test_every_combination_comes_up(self):
        seeds = range(200)
        self.assertEqual({faults.setting(seed) for seed in seeds}, {
            faults.Setting(broker, restored, loss)
            for broker in faults.BROKER_KINDS for restored in faults.DAEMONS for loss in faults.LOSSES})
        self.assertEqual(*([faults.setting(seed) for seed in seeds] for _ in range(2)))

    def test_the_other_seed_is_the_next_with_the_other_kind_of_broker(self):
        for seed, broker in itertools.product(range(20), faults.BROKER_KINDS):
            other = faults.other_seed(seed, broker)
            self.assertGreater(other, seed)
            self.assertNotEqual(faults.setting(other).broker, broker)
            self.assertEqual({faults.setting(between).broker for between in range(seed + 1, other)} - {broker}, set())


@unittest.skipIf(importlib.util.find_spec("paho") is None, "needs python3-paho-mqtt")
class TrafficTest(unittest.TestCase):
    def setUp(self):
        from proof import traffic

        self.traffic = traffic

    def test_a_seed_is_all_there_is_to_it(self):
        make = self.traffic.stream
        for way in (self.traffic.UP, self.traffic.DOWN):
            self.assertEqual(make(5, way, 60), make(5, way, 60))
            self.assertNotEqual(make(5, way, 60), make(6, way, 60))

    def test_all_classes_and_sizes_each_under_a_topic_of_its_own(self):
        messages = [message for way in (self.traffic.UP, self.traffic.DOWN)
                    for message in self.traffic.stream(1, way, 600)]
        self.assertEqual(len({message.topic for message in messages}), len(messages))
        plain = [message for message in messages if not message.packet]
        self.assertEqual({message.topic.split("/")[3] for message in plain}, set(self.traffic.KINDS))
        sizes = [message.size for message in plain]
        self.assertLess(min(sizes), 25)
        self.assertGreater(max(sizes), self.traffic.LARGEST * 0.8)
        self.assertLessEqual(max(sizes), self.traffic.LARGEST)
        self.assertTrue(0.3 < 1 - len(plain) / len(messages) < 0.5)

    def test_some_go_at_qos_0_where_that_is_asked_for_and_nothing_else_changes(self):
        plain, casual = (self.traffic.stream(1, self.traffic.UP, 600, qos_0=share) for share in (0.0, 0.3))
        self.assertEqual({message.qos for message in plain}, {1})
        self.assertTrue(0.25 < sum(message.qos == 0 for message in casual) / len(casual) < 0.35)
        self.assertEqual({bool(message.packet) for message in casual if message.qos == 0}, {True, False})
        self.assertEqual([(message.topic, message.payload) for message in casual],
                         [(message.topic, message.payload) for message in plain])

    def test_payloads_are_of_their_size_and_the_same_each_time(self):
        for message in self.traffic.stream(2, self.traffic.UP, 60):
            self.assertEqual(len(message.payload), message.size)
            self.assertEqual(message.payload, message.payload)

    def test_the_way_down_is_published_for_its_gateway(self):
        message = self.traffic.stream(1, self.traffic.DOWN, 10)[0]
        self.assertEqual(message.published_as, f"down/{self.traffic.GATEWAY}/{message.topic}")


if __name__ == "__main__":
    unittest.main()
