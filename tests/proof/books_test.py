# SPDX-License-Identifier: Apache-2.0
"""Each wrong book is found, on one side and between the two."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from proof.books import judge_agreement, judge_books  # noqa: E402
from proof.evidence import Books  # noqa: E402


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
