# SPDX-License-Identifier: Apache-2.0
"""The soak's referee, shown what should not be: each loss and each double is found and named."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from proof.story import KILL, Story, StoryTest, log  # noqa: E402


class RefereeTest(StoryTest):
    def test_all_is_well(self):
        counts = self.expect()
        for name in ("published", "acknowledged_by_broker", "accepted", "delivered", "arrived"):
            self.assertEqual(counts[name], 1, name)
        self.story.logs = {}
        self.expect()

    def test_acknowledged_to_the_broker_and_not_stored(self):
        self.story.entry = self.story.exit = self.story.arrivals = []
        self.expect(lost=1)
        # No kill of the broker is an excuse: it had Tulpar's word.
        self.story.kills = {"source_kills": [1001]}
        self.expect(lost=1)

    def test_lost_on_the_link(self):
        self.story.exit = self.story.arrivals = []
        self.expect(lost=1)

    def test_lost_before_the_sink(self):
        self.story.arrivals = []
        self.expect(lost=1)  # its broker took it and was not killed
        self.story.logs["sink_log"] = log(lives=2, taken={"a": [(1, 4)]})
        self.expect(lost=1)  # nor in the life in which it took it
        self.story.logs["sink_log"] = log(lives=2)
        self.story.kills = {"sink_kills": [KILL]}
        self.expect(lost=1)  # it never took it, whatever the store says

    def test_stored_twice_over_the_link(self):
        self.story.exit.append(self.row(id=6, edge=True, origin=(255, 7)))
        self.expect(stored_twice=1)

    def test_an_emergency_may_leave_before_the_disk_has_it(self):
        early = self.row(id=6, edge=True, cls="emergency", origin=(255, 65_300))
        self.story.exit.append(early)
        self.story.arrivals.append(("a", "d", early.tulpar_id))
        counts = self.expect()
        self.assertEqual((counts["left_before_the_disk"], counts["arrived"]), (1, 2))
        # It is not the one that was stored after all, under the number that it left under.
        self.story.entry.append(self.row(number=65_300, cls="emergency"))
        self.expect(stored_twice=1)
        # Its sender died, and so did its broker.
        self.story = Story()
        self.story.exit, self.story.arrivals = [early], [("a", "d", early.tulpar_id)]
        self.story.entry, self.story.logs["source_log"] = [], log()
        self.story.kills = {"source_kills": [KILL]}
        self.assertEqual(self.expect()["left_before_the_disk"], 1)
        # Nobody but an emergency.
        self.story = Story()
        self.story.exit.append(self.row(id=6, edge=True, cls="message", origin=(255, 65_300)))
        self.story.arrivals.append(("a", "d", early.tulpar_id))
        self.expect(stored_twice=1)

    def test_arrived_under_two_ids(self):
        self.story.arrivals.append(("a", "d", "00000000000000ff-8"))
        self.expect(stored_twice=1)
        self.story.arrivals = [("a", "d", None), self.story.arrivals[0]]
        self.expect(stored_twice=1)

    def test_the_same_id_again_is_a_retry(self):
        self.story.arrivals *= 3
        self.assertEqual(self.expect()["sent_again_to_sink"], 2)

    def test_torn(self):
        self.story.arrivals = [("a", "e", "00000000000000ff-7")]
        self.expect(torn=1)

    def test_foreign(self):
        for place in ("entry", "exit"):
            self.story = Story()
            getattr(self.story, place).append(self.row(topic="b", edge=place == "exit"))
            self.expect(foreign=1)
        self.story = Story()
        self.story.arrivals.append(("b", "d", "00000000000000ff-9"))
        self.expect(foreign=1)
        self.story = Story()
        self.story.entry = []
        self.expect(foreign=1)

    def test_left_over(self):
        for state in ("queued", "in flight"):
            self.story = Story()
            self.story.entry = [self.row(state=state)]
            self.story.exit = self.story.arrivals = []
            self.expect(left_over=1)
        self.story = Story()
        self.story.exit, self.story.arrivals = [self.row(edge=True, state="queued", origin=(255, 7))], []
        self.expect(left_over=1)

    def test_given_up(self):
        for state in ("expired", "dropped", "conflated"):
            self.story = Story()
            self.story.entry = [self.row(state=state)]
            self.story.exit = self.story.arrivals = []
            self.expect(given_up=1)

    def test_conflated_needs_a_later_one_of_its_kind(self):
        old = self.row(id=1, state="conflated", node=3, kind=4)
        for later, given_up in ((dict(node=3, kind=4), {}), (dict(node=3, kind=5), {"given_up": 1}),
                                (dict(node=2, kind=4), {"given_up": 1})):
            self.story = Story()
            self.story.sent["b"] = self.story.sent["a"]
            self.story.entry = [old, self.row(id=2, topic="b", **later)]
            self.story.exit = [self.row(id=5, topic="b", edge=True, origin=(255, 8))]
            self.story.arrivals = [("b", "d", "00000000000000ff-8")]
            self.story.logs = {}
            self.assertEqual(self.expect(**given_up)["conflated"], 0 if given_up else 1)
        # It had arrived when its store died; the next life could not know.
        self.story = Story()
        self.story.entry = [self.row(id=1, state="conflated", kind=4), self.row(id=2, topic="b", kind=4)]
        self.story.sent["b"] = self.story.sent["a"]
        self.story.exit.append(self.row(id=6, topic="b", edge=True, origin=(255, 8)))
        self.story.arrivals.append(("b", "d", "00000000000000ff-8"))
        self.assertEqual(self.expect()["conflated_yet_delivered"], 1)


if __name__ == "__main__":
    unittest.main()
