# SPDX-License-Identifier: Apache-2.0
"""What the tests of the referee begin with: a message that went all the way."""
import unittest

from .evidence import BrokerLog, Row
from .referee import WRONG, Sent, Way, judge

KILL = 10_000


def log(lives=1, **what):
    made = BrokerLog(lives=lives)
    for name, topics in what.items():
        for topic, places in topics.items():
            getattr(made, name)[topic].update(places)
    return made


class Story:
    """One message, `a`, that went all the way; then each test spoils something."""

    def __init__(self):
        self.sent = {"a": Sent("d", handed=900, acknowledged=1000)}
        self.entry = [Row(id=1, edge=False, topic="a", state="delivered", accepted=1100, number=7)]
        self.exit = [Row(id=5, edge=True, topic="a", state="delivered", accepted=1200, finished=KILL,
                         origin=(255, 7))]
        self.arrivals = [("a", "d", "00000000000000ff-7")]
        self.logs = {"source_log": log(given={"a": [(0, 3)]}, released={"a": [(0, 3)]}),
                     "sink_log": log(taken={"a": [(0, 4)]})}
        self.kills = {}

    def judge(self):
        return judge(Way(self.sent, self.entry, self.exit, self.arrivals, **self.logs, **self.kills))


class StoryTest(unittest.TestCase):
    def setUp(self):
        self.story = Story()

    def row(self, **changes):
        return Row(**{**dict(id=2, edge=False, topic="a", state="delivered", accepted=1100, number=8), **changes})

    def expect(self, **wrong):
        """Exactly these findings; returns the counts."""
        judged = self.story.judge()
        self.assertEqual({name: judged.counts[name] for name in WRONG if judged.counts[name]}, wrong, judged.findings)
        self.assertEqual(len(judged.findings), sum(wrong.values()))
        return judged.counts
