# SPDX-License-Identifier: Apache-2.0
"""The failing disk itself: each fault makes SQLite fail as a real one would, below its folder only, and passes."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.disk_fault import FAULTS, DiskFault  # noqa: E402
from lab.scenario import SKIPPED  # noqa: E402

LIBRARY = os.environ.get("TULPAR_DISK_FAULT_LIBRARY", "")
if not os.path.exists(LIBRARY):
    print("disk_fault_test skipped: needs TULPAR_DISK_FAULT_LIBRARY")
    sys.exit(SKIPPED)

# For each line: inserts a row into a WAL database, then reads a file past any cache; prints what became of both.
VICTIM = """
import os, sqlite3, sys
folder = sys.argv[1]
db = sqlite3.connect(folder + "/a.db", isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE t(x)")
file = os.open(folder + "/file", os.O_RDWR | os.O_CREAT)
os.write(file, b"x")
def attempt(action):
    try:
        action()
        return "ok"
    except (OSError, sqlite3.Error) as error:
        return str(error)
for _ in sys.stdin:
    print(attempt(lambda: db.execute("INSERT INTO t VALUES(randomblob(3000))")), "|",
          attempt(lambda: os.pread(file, 1, 0)), flush=True)
"""


class DiskFaultTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        inside = pathlib.Path(self._folder.name, "disk")
        inside.mkdir()
        self.disk = DiskFault(LIBRARY, inside, pathlib.Path(self._folder.name, "control"))
        self._victim = self.start(inside)

    def start(self, folder):
        return subprocess.Popen([sys.executable, "-c", VICTIM, folder], env=self.disk.environment(), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tearDown(self):
        self.end(self._victim)
        self._folder.cleanup()

    @staticmethod
    def end(victim):
        victim.stdin.close()
        victim.stdout.close()
        victim.wait()

    def act(self, victim=None):
        victim = victim or self._victim
        victim.stdin.write("\n")
        victim.stdin.flush()
        return tuple(victim.stdout.readline().strip().split(" | "))

    def test_each_fault_is_met_and_passes(self):
        writing = {"full": "database or disk is full", "no growth": "database or disk is full",
                   "read-only": "disk I/O error", "write error": "disk I/O error", "sync error": "disk I/O error"}
        for fault in FAULTS:
            with self.subTest(fault):
                self.assertEqual(self.act(), ("ok", "ok"))
                self.disk.set(fault)
                write, read = self.act()
                self.disk.clear()
                self.assertEqual(write, writing.get(fault, "ok"))
                self.assertEqual(read, "[Errno 5] Input/output error" if fault == "read error" else "ok")
        self.assertEqual(self.act(), ("ok", "ok"))

    def test_a_slow_disk_takes_its_time(self):
        self.act()
        self.disk.set("slow")
        begin = time.monotonic()
        self.act()
        self.assertGreater(time.monotonic() - begin, 1.9)

    def test_other_folders_are_spared(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            self.act()
            other = self.start(elsewhere)
            self.disk.set("write error")
            self.assertEqual(self.act(other), ("ok", "ok"))
            self.end(other)


if __name__ == "__main__":
    unittest.main()
