# SPDX-License-Identifier: Apache-2.0
"""When .lint/tidy looks at a file again, and when not: with a clang-tidy that only writes down what it was asked."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CLANG_TIDY = """#!/bin/sh
[ "$1" = --version ] && exec cat "$PLACE/version"
for file; do [ "$file" != "--checks=-clang-analyzer-*" ] || echo plain >> "$PLACE/asked"; done
echo "$file" >> "$PLACE/asked"
if grep -n BAD "$file"; then exit 1; fi
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.build = self.root / "build" / "dev"
        self.write(".clang-tidy", "Checks: '*'\n")
        (self.root / ".lint").mkdir()
        shutil.copy(PROJECT / ".lint" / "tidy", self.root / ".lint")
        self.write("version", "14\n")
        self.write("bin/clang-tidy", CLANG_TIDY)
        (self.root / "bin" / "clang-tidy").chmod(0o755)
        self.write("queue/base.hpp", "int base;\n")
        self.write("queue/store.hpp", '#include "queue/base.hpp"\n#include <vector>\n')
        self.write("queue/store.cpp", '#include "queue/store.hpp"\n')
        self.write("queue/other.cpp", "int other;\n")
        self.write("build/dev/page.cpp", "generated BAD\n")
        self.commands("c++ -O1")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commands(self, compiler, *more):
        files = [self.root / f for f in ["queue/store.cpp", "queue/other.cpp", "build/dev/page.cpp", *more]]
        self.write("build/dev/compile_commands.json", json.dumps(
            [{"directory": str(self.build), "command": f"{compiler} -c {f}", "file": str(f)} for f in files]))

    def asked(self, passes=True):
        """Runs it and returns the names of the files that clang-tidy was asked about."""
        log = self.root / "asked"
        log.write_text("")
        env = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}", PLACE=str(self.root))
        done = subprocess.run([self.root / ".lint" / "tidy", self.build, "2"], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0 if passes else 1, done.stdout + done.stderr)
        self.said = done.stdout
        return sorted(Path(line).name for line in log.read_text().splitlines())

    def test_unchanged_files_are_passed_over(self):
        self.assertEqual(self.asked(), ["other.cpp", "store.cpp"])
        self.assertEqual(self.asked(), [])
        self.assertIn("2 files, 2 of them unchanged", self.said)

    def test_what_brings_a_file_back(self):
        for path, text, again in [("queue/other.cpp", "int more;\n", ["other.cpp"]),
                                  ("queue/base.hpp", "long base;\n", ["store.cpp"]),
                                  (".clang-tidy", "Checks: 'x'\n", ["other.cpp", "store.cpp"]),
                                  ("version", "15\n", ["other.cpp", "store.cpp"])]:
            with self.subTest(path=path):
                self.asked()
                self.write(path, text)
                self.assertEqual(self.asked(), again)
        self.commands("c++ -O2")
        self.assertEqual(self.asked(), ["other.cpp", "store.cpp"])

    def test_what_reaches_asio_is_spared_the_analyzer(self):
        self.assertNotIn("plain", self.asked())
        self.write("queue/base.hpp", "#include <boost/asio/awaitable.hpp>\n")
        self.assertEqual(self.asked(), ["plain", "store.cpp"])

    def test_tests_are_spared_the_analyzer(self):
        self.write("tests/queue/store_test.cpp", "int test;\n")
        self.commands("c++ -O1", "tests/queue/store_test.cpp")
        self.assertEqual(self.asked(), ["other.cpp", "plain", "store.cpp", "store_test.cpp"])

    def test_findings_are_printed_every_time(self):
        self.write("queue/other.cpp", "BAD\n")
        for _ in range(2):
            self.assertIn("other.cpp", self.asked(passes=False))
            self.assertIn("1:BAD", self.said)
            self.assertIn("1 with findings", self.said)

    def test_stamps_do_not_pile_up(self):
        for content in ["int a;\n", "int b;\n", "int c;\n"]:
            self.write("queue/other.cpp", content)
            self.asked()
        self.assertEqual(len(list((self.build / "tidy").iterdir())), 2)


if __name__ == "__main__":
    unittest.main()
