# SPDX-License-Identifier: Apache-2.0
"""What the soak reads of the dead: a broker's log as mosquitto 2.0 writes it, and a store with the schema of today."""
import contextlib
import pathlib
import re
import sqlite3
import sys
import tempfile
import time
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))
from proof import evidence  # noqa: E402

LOG = """\
1795416858: mosquitto version 2.0.11 starting
1795416859: Received PUBLISH from auto-8C30 (d0, q1, r0, m7, 'mesh/a', ... (35 bytes))
1795416859: Sending PUBLISH to tulpar-lab-roof (d0, q1, r0, m1, 'mesh/a', ... (35 bytes))
1795416859: Sending PUBACK to auto-8C30 (m7, rc0)
1795416859: Sending PUBLISH to tulpar-lab-roof (d0, q1, r0, m2, 'mesh/b', ... (35 bytes))
1795416859: Received PUBACK from tulpar-lab-roof (Mid: 1, RC:0)
1795416859: Received PUBLISH from tulpar-lab-roof-down (d0, q1, r0, m1, 'mesh/c', ... (9 bytes))
1795416859: Sending PUBACK to tulpar-lab-roof-down (m1, rc0)
1795416859: Received PUBLISH from tulpar-lab-roof-down (d0, q1, r0, m2, 'mesh/d', ... (9 bytes))
1795416861: mosquitto version 2.0.11 starting
1795416861: Sending PUBACK to tulpar-lab-roof-down (m2, rc0)
1795416861: Received PUBACK from tulpar-lab-roof (Mid: 2, RC:0)
1795416862: Sending PUBLISH to tulpar-lab-roof (d1, q1, r0, m2, 'mesh/b', ... (35 bytes))
1795416862: Received PUBACK from tulpar-lab-roof (Mid: 2, RC:0)
"""


class BrokerLogTest(unittest.TestCase):
    def test_what_tulpar_gave_and_took(self):
        log = evidence.read_broker_log(LOG.splitlines())
        self.assertEqual(log.lives, 2)
        self.assertEqual(log.given, {"mesh/a": {(0, 1)}, "mesh/b": {(0, 2), (1, 2)}})
        # An acknowledgement answers a packet of the same life and client, and of nobody else.
        self.assertEqual(log.released, {"mesh/a": {(0, 1)}, "mesh/b": {(1, 2)}})
        self.assertEqual(log.taken, {"mesh/c": {(0, 1)}})

    def test_a_prefix_is_no_part_of_a_topic(self):
        log = evidence.read_broker_log(LOG.splitlines(), "mesh/")
        self.assertEqual([set(topics) for topics in (log.given, log.released, log.taken)],
                         [{"a", "b"}, {"a", "b"}, {"c"}])

    def test_an_empty_log(self):
        self.assertEqual(evidence.read_broker_log([]).lives, 0)


class StoreTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "queue.db")

    def write(self, *statements):
        schema = re.findall(r'R"sql\((.*?)\)sql"', (PROJECT / "queue" / "schema.cpp").read_text(), re.DOTALL)
        self.assertTrue(schema)
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            for statement in (*schema, f"PRAGMA user_version = {len(schema)}", *statements):
                db.executescript(statement)

    def test_a_store_that_died_before_it_had_tables(self):
        self.path.touch()
        self.assertEqual(evidence.read_books(self.path), evidence.Books())

    def test_books_and_rows(self):
        message = ("INSERT INTO message(peer, number, class, node, kind, state, bytes, topic, packet, origin_number, "
                   "origin_incarnation, boot, accepted_boot) VALUES")
        self.write("INSERT INTO class(id, name) VALUES(3, 'normal')",
                   "INSERT INTO book(edge, class, accepted, delivered, queued) VALUES(0, 3, 2, 1, 1), (1, 3, 1, 0, 1)",
                   f"{message}(1, 7, 3, 5, 6, 2, 9, 'a', 8, 0, 0, 1, 1000)",
                   f"{message}(1, 8, 3, 0, 0, 1, 9, 'b', 0, 0, 0, 1, 1001)",
                   f"{message}(0, 0, 3, 0, 0, 0, 9, 'c', 0, 4, 255, 1, 1002)")
        books = evidence.read_books(self.path)
        self.assertEqual(books.check, "ok")
        self.assertEqual(books.rows, {(False, "normal"): {"delivered": 1, "in flight": 1},
                                      (True, "normal"): {"queued": 1}})
        self.assertEqual(books.books[False, "normal"]["accepted"], 2)
        self.assertEqual([books.total(edge, "queued") for edge in (False, True)], [1, 1])
        self.assertEqual(books.total(False, "delivered"), 1)
        a, b, c = evidence.read_rows(self.path)
        self.assertEqual(a, evidence.Row(id=1, edge=False, topic="a", state="delivered", accepted=1000,
                                         cls="normal", number=7, node=5, kind=6, packet=8))
        self.assertEqual((b.state, c.edge, c.origin), ("in flight", True, (255, 4)))
        self.assertEqual((a.tulpar_id, c.tulpar_id), ("0000000000000000-1", "00000000000000ff-4"))

    def test_a_thorough_look_finds_what_an_index_lacks(self):
        self.write("CREATE TABLE t(x)", "INSERT INTO t VALUES(1), (2)", "CREATE INDEX by_x ON t(x) WHERE x > 1")
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute("PRAGMA writable_schema = ON")
            db.execute("UPDATE sqlite_schema SET sql = 'CREATE INDEX by_x ON t(x)' WHERE name = 'by_x'")
        self.assertEqual(evidence.read_books(self.path).check, "ok")
        self.assertEqual(evidence.read_books(self.path, thorough=True).check, "row 1 missing from index by_x")

    def test_the_end_of_a_message_is_told_in_boot_time(self):
        message = ("INSERT INTO message(peer, number, class, node, kind, state, bytes, topic, boot, accepted_boot, "
                   "finished_wall) VALUES")
        self.write("INSERT INTO class(id, name) VALUES(3, 'normal')",
                   f"{message}(0, 0, 3, 0, 0, 2, 9, 'a', 1, 1, {time.time_ns() // 1_000_000})",
                   f"{message}(0, 0, 3, 0, 0, 0, 9, 'b', 1, 1, NULL)")
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        done, queued = evidence.read_rows(self.path)
        self.assertAlmostEqual(done.finished, now, delta=2000)
        self.assertEqual(queued.finished, 0)

    def test_the_numbers_set_aside_are_those_of_the_store(self):
        header = (PROJECT / "queue" / "message_numbers.hpp").read_text().replace("'", "")
        for name, value in (("kNumberBlock", evidence.NUMBER_BLOCK), ("kNumbersAside", evidence.NUMBERS_ASIDE)):
            self.assertEqual(int(re.search(rf"{name} = (\d+);", header)[1]), value)
        made = [evidence.Row(id=1, edge=True, topic="a", state="delivered", accepted=1, cls=cls, origin=(1, number))
                for cls, number in (("emergency", 65_280), ("emergency", 131_071), ("emergency", 65_279),
                                    ("emergency", 65_536), ("message", 65_280))]
        self.assertEqual([row.left_early for row in made], [True, True, False, False, False])

    def test_the_states_are_those_of_the_store(self):
        header = (PROJECT / "queue" / "message.hpp").read_text()
        states = re.findall(r"^  k(\w+) = (\d)", header[header.index("enum class State"):header.index(
            "enum class DropReason")], re.MULTILINE)
        self.assertEqual([name.lower() for name, _ in states], [state.replace(" ", "") for state in evidence.STATES])
        self.assertEqual([int(value) for _, value in states], list(range(len(states))))


if __name__ == "__main__":
    unittest.main()
