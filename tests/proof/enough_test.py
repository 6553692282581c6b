# SPDX-License-Identifier: Apache-2.0
"""An hour in which little was tried does not pass, whatever was not lost in it; a shorter run may be as it is."""
import argparse
import pathlib
import sys
import unittest
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from proof import enough, faults, figures, referee  # noqa: E402

PLANNED = {"up": 1000, "down": 500}


class EnoughTest(unittest.TestCase):
    def setUp(self):
        self.counts = Counter(kills=enough.KILLS)
        for way, messages in PLANNED.items():
            self.counts.update({f"{way}_{name}": round(share * messages) for name, share in enough.FLOORS.items()})
        self.deaths = {name: dict.fromkeys(points, 1) for name, points in faults.mortal("relay").items()}

    def lacking(self, minutes=enough.HOUR, restored="relay"):
        return enough.lacking(minutes, self.counts, PLANNED, self.deaths, restored)

    def test_an_hour_that_had_it_all(self):
        self.assertEqual(self.lacking(), [])

    def test_too_few_kills(self):
        self.counts["kills"] -= 1
        self.assertEqual(self.lacking(), [f"only {enough.KILLS - 1} kills, {enough.KILLS} are due"])

    def test_too_few_messages_of_one_way(self):
        for name in enough.FLOORS:
            self.setUp()
            self.counts[f"down_{name}"] -= 1
            (found,) = self.lacking()
            self.assertRegex(found, f"^down: .* {name} of 500 planned")

    def test_each_daemon_has_to_die_at_each_point(self):
        for name, points in faults.mortal("relay").items():
            for point in points:
                self.setUp()
                del self.deaths[name][point]
                self.assertEqual(self.lacking(), [f"the {name} never died at {point}"])
        # Who was not restored had no new name to take.
        self.setUp()
        self.assertEqual(self.lacking(restored="gateway"),
                         [f"the gateway never died at {point}" for point in faults.RENEWAL])

    def test_less_than_an_hour_owes_nothing(self):
        self.counts.clear()
        self.deaths = {name: {} for name in faults.DAEMONS}
        self.assertEqual(self.lacking(enough.HOUR - 1), [])
        self.assertGreater(len(self.lacking()), 40)


class FiguresTest(unittest.TestCase):
    def test_what_a_soak_came_to(self):
        args = argparse.Namespace(seed=7, minutes=2, broker="managed", restored="relay", loss=0.01)
        found = figures.of_soak(args, Counter(kills=3, lost=1), {"a"}, {"gateway": {"b": 2, "a": 1}, "relay": {}},
                                {"a", "b"})
        self.assertEqual((found["kills"], found["lost"], found["torn"]), (3, "1 (limit 0)", "0 (limit 0)"))
        self.assertEqual((found["fail_points_passed"], found["gateway_deaths_at_fail_points"]), ("1/2", "a 1, b 2"))
        self.assertLessEqual(set(referee.WRONG), found.keys())


if __name__ == "__main__":
    unittest.main()
