# SPDX-License-Identifier: Apache-2.0
"""The soak's referee, shown what should not be: each loss, each double, each wrong book is found and named; what a
killed broker is to blame for is not."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from proof.evidence import Books, BrokerLog, Row  # noqa: E402
from proof.referee import FORGETS_WITHIN, WRONG, Sent, Way, judge, judge_agreement, judge_books  # noqa: E402

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
        self.exit = [Row(id=5, edge=True, topic="a", state="delivered", accepted=1200, origin=(255, 7))]
        self.arrivals = [("a", "d", "00000000000000ff-7")]
        self.logs = {"source_log": log(given={"a": [(0, 3)]}, released={"a": [(0, 3)]}),
                     "sink_log": log(taken={"a": [(0, 4)]})}
        self.kills = {}

    def judge(self):
        return judge(Way(self.sent, self.entry, self.exit, self.arrivals, **self.logs, **self.kills))


class RefereeTest(unittest.TestCase):
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

    def test_what_the_killed_sink_forgot_is_not_ours(self):
        self.story.arrivals = []
        self.story.logs["sink_log"] = log(lives=2, taken={"a": [(0, 4)]})
        self.assertEqual(self.expect()["forgotten_by_sink"], 1)
        self.story.logs["sink_log"] = None
        self.story.kills = {"sink_kills": [KILL]}
        self.assertEqual(self.expect()["forgotten_by_sink"], 1)
        self.story.kills = {"sink_kills": [1199]}  # before it was even there
        self.expect(lost=1)

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


class BooksTest(unittest.TestCase):
    def books(self, rows=None, check="ok", **changes):
        book = {**dict(accepted=6, delivered=3, expired=0, conflated=1, dropped=0, queued=2), **changes}
        return Books(check, {(False, "normal"): book}, {(False, "normal"): rows or {
            "delivered": 3, "conflated": 1, "queued": 1, "in flight": 1}})

    def test_balanced(self):
        self.assertEqual(judge_books(self.books()), [])
        self.assertEqual(judge_books(Books()), [])

    def test_each_figure_counts(self):
        for figure, value in (("accepted", 7), ("delivered", 2), ("expired", 1), ("conflated", 0), ("dropped", 1),
                              ("queued", 1)):
            self.assertIn("does not balance", judge_books(self.books(**{figure: value}))[0], figure)

    def test_balanced_and_yet_not_what_the_rows_say(self):
        wrong = judge_books(self.books(delivered=2, queued=3))
        self.assertEqual(len(wrong), 2)
        self.assertIn("delivered is 2 in the book", wrong[0])
        self.assertEqual(len(judge_books(self.books(rows={"delivered": 3, "conflated": 1, "queued": 3}))), 2)

    def test_nothing_is_taken_back(self):
        before = self.books(rows={"delivered": 4, "conflated": 1, "queued": 2}, accepted=7, delivered=4)
        self.assertEqual(judge_books(before), [])
        self.assertEqual(len(judge_books(self.books(), before)), 2)
        self.assertEqual(judge_books(self.books(), self.books()), [])
        self.assertIn("is gone", judge_books(Books(), self.books())[0])

    def test_a_damaged_file(self):
        self.assertIn("damaged", judge_books(self.books(check="row 7 missing from index"))[0])

    def test_a_row_without_a_book(self):
        self.assertEqual(len(judge_books(Books(rows={(True, "bulk"): {"queued": 1}}))), 1)

    def test_both_sides_agree(self):
        near, far = self.books(), Books(books={(True, "normal"): dict(accepted=3), (False, "normal"): dict(accepted=9)})
        self.assertEqual(judge_agreement(near, far), [])
        self.assertEqual(len(judge_agreement(near, far, gap=1)), 1)


if __name__ == "__main__":
    unittest.main()
