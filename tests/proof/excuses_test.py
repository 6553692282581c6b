# SPDX-License-Identifier: Apache-2.0
"""What a killed broker is to blame for, and what nobody promised, the referee does not lay to Tulpar; nor does it
excuse more than that."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from proof.referee import EXCUSED, EXCUSED_SHARE, FORGETS_WITHIN, Sent  # noqa: E402
from proof.story import KILL, Story, StoryTest, log  # noqa: E402


class ExcusesTest(StoryTest):
    def test_what_the_killed_source_forgot_is_not_ours(self):
        self.story.entry = self.story.exit = self.story.arrivals = []
        self.story.logs["source_log"] = log()
        self.expect(lost=1)  # it lived on
        self.story.kills = {"source_kills": [KILL * 1000]}
        self.assertEqual(self.expect()["forgotten_by_source"], 1)
        # Without a log the kill has to come soon after.
        self.story.logs["source_log"] = None
        self.expect(lost=1)
        self.story.kills = {"source_kills": [1000 + FORGETS_WITHIN]}
        self.assertEqual(self.expect()["forgotten_by_source"], 1)
        self.story.kills = {"source_kills": [1000 + FORGETS_WITHIN + 1]}
        self.expect(lost=1)

    def test_what_nobody_acknowledged_is_no_promise(self):
        self.story.entry = self.story.exit = self.story.arrivals = []
        self.story.logs["source_log"], self.story.sent["a"].acknowledged = log(), None
        self.assertEqual(self.expect()["unanswered"], 1)
        self.story.sent["a"].qos = 0
        counts = self.expect()
        self.assertEqual((counts["unanswered"], counts["unanswered_at_qos_0"]), (0, 1))

    def test_what_went_at_qos_0_and_was_read_is_expected(self):
        self.story.logs["source_log"] = None
        self.story.sent["a"].qos = 0
        self.assertEqual(self.expect()["published_at_qos_0"], 1)
        self.story.entry = self.story.exit = self.story.arrivals = []
        self.expect(lost=1)
        self.story.kills = {"source_kills": [1000 + FORGETS_WITHIN]}
        self.assertEqual(self.expect()["forgotten_by_source"], 1)

    def test_what_the_killed_sink_forgot_is_not_ours(self):
        self.story.arrivals = []
        self.story.logs["sink_log"] = log(lives=2, taken={"a": [(0, 4)]})
        self.assertEqual(self.expect()["forgotten_by_sink"], 1)
        # Without a log: where it was killed about when it had acknowledged it, and not at just any time after.
        self.story.logs["sink_log"] = None
        for kill, lost in ((KILL - FORGETS_WITHIN - 1, 1), (KILL - FORGETS_WITHIN, 0), (KILL + FORGETS_WITHIN, 0),
                           (KILL + FORGETS_WITHIN + 1, 1)):
            self.story.kills = {"sink_kills": [kill]}
            self.assertEqual(self.expect(**{"lost": 1} if lost else {})["forgotten_by_sink"], 1 - lost)
        self.story.kills = {}
        self.expect(lost=1)  # it lived on

    def test_no_kill_explains_many(self):
        few = 1000
        most = int(EXCUSED + EXCUSED_SHARE * few)
        for forgotten, wrong in ((most, {}), (most + 1, {"excused_too_often": 1})):
            self.story = Story()
            self.story.logs = {}
            self.story.kills = {"sink_kills": [KILL]}
            topics = [f"{n}" for n in range(few)]
            self.story.sent = dict.fromkeys(topics, Sent("d", handed=900, acknowledged=1000))
            self.story.entry = [self.row(id=n, topic=topic) for n, topic in enumerate(topics)]
            self.story.exit = [self.row(id=n, topic=topic, edge=True, finished=KILL, origin=(255, n + 1))
                               for n, topic in enumerate(topics)]
            self.story.arrivals = [(row.topic, "d", row.tulpar_id) for row in self.story.exit[forgotten:]]
            self.assertEqual(self.expect(**wrong)["forgotten_by_sink"], forgotten)
        # What is handed on twice, and what the source forgot, is counted likewise.
        for n in range(EXCUSED + 2):
            self.story = Story()
            self.story.logs, self.story.kills = {}, {"source_kills": [KILL]}
            self.story.entry += [self.row(id=2 + m, number=8 + m, accepted=KILL + 1) for m in range(n)]
            self.story.exit += [self.row(id=6 + m, edge=True, origin=(255, 8 + m)) for m in range(n)]
            self.story.arrivals += [("a", "d", row.tulpar_id) for row in self.story.exit[1:]]
            self.expect(**{"excused_too_often": 1} if n > EXCUSED else {})
            self.story = Story()
            self.story.logs, self.story.kills = {}, {"source_kills": [1001]}
            self.story.entry = self.story.exit = self.story.arrivals = []
            self.story.sent = dict.fromkeys(map(str, range(n)), Sent("d", handed=900, acknowledged=1000))
            self.expect(**{"excused_too_often": 1} if n > EXCUSED else {})

    def test_stored_twice_where_it_came_in(self):
        self.story.entry.append(self.row(accepted=KILL + 1))
        self.story.exit.append(self.row(id=6, edge=True, origin=(255, 8)))
        self.story.arrivals.append(("a", "d", "00000000000000ff-8"))
        self.expect(stored_twice=1)  # the broker sent it once
        self.story.logs["source_log"] = log(lives=2, given={"a": [(0, 3), (1, 3)]})
        self.expect(stored_twice=1)  # or again under the number that Tulpar knew
        self.story.logs["source_log"] = log(lives=2, given={"a": [(0, 3), (1, 9)]})
        self.assertEqual(self.expect()["repeated_by_source"], 1)
        self.story.logs["source_log"] = None
        self.expect(stored_twice=1)
        self.story.kills = {"source_kills": [KILL]}
        self.assertEqual(self.expect()["repeated_by_source"], 1)
        self.story.entry = [self.row(id=n, packet=99) for n in (1, 2)]  # a packet is known by its own id
        self.expect(stored_twice=1)


if __name__ == "__main__":
    unittest.main()
