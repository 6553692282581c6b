#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))
from proof import mutants  # noqa: E402
from proof.mutant_list import MUTANTS, Mutant  # noqa: E402


class Mutants(unittest.TestCase):
    def test_there_are_twenty_and_each_has_a_name(self):
        self.assertGreaterEqual(len(MUTANTS), 20)
        self.assertEqual(len({mutant.name for mutant in MUTANTS}), len(MUTANTS))

    def test_each_applies_to_the_sources_as_they_are(self):
        for mutant in MUTANTS:
            with self.subTest(mutant.name):
                text = (PROJECT / mutant.file).read_text()
                self.assertNotEqual(mutants.mutated(mutant, text), text)

    def test_a_place_that_is_gone_or_not_alone_is_told(self):
        for text in ("", "x x"):
            with self.assertRaisesRegex(ValueError, "f.cpp: .*`m` is there"):
                mutants.mutated(Mutant("m", "f.cpp", "x", "y", ()), text)

    def test_the_first_failed_test_is_named(self):
        report = """<testsuites><testsuite><testcase name="good"/><testcase name="bad"><failure/></testcase>
                    <testcase name="worse"><error/></testcase></testsuite></testsuites>"""
        self.assertEqual(mutants.first_failure(report), "bad")
        self.assertIsNone(mutants.first_failure('<testsuites><testcase name="good"/></testsuites>'))

    def test_who_noticed_is_told_by_a_test_an_end_or_the_time_that_it_took(self):
        report = "<?xml version='1.0'?><testsuites><testcase name='bad'><failure/></testcase></testsuites>"
        fails = f'echo talk; echo "{report}" > "$5"; exit 1'
        with tempfile.TemporaryDirectory() as folder, mock.patch.multiple(
                mutants, BUILD=pathlib.Path(folder), REPORT=pathlib.Path(folder, "report"), LONGEST=1):
            for name, script in (("passes", "exit 0"), ("fails", fails), ("crashes", "exit 139"),
                                 ("hangs", "exec sleep 60")):
                program = pathlib.Path(folder, "tests", name)
                program.parent.mkdir(exist_ok=True)
                program.write_text(f"#!/bin/sh\n{script}\n")
                program.chmod(0o755)
            self.assertIsNone(mutants.noticed_by(["passes"]))
            for name, said in (("fails", "bad"), ("crashes", "crashes: by its end with 139"),
                               ("hangs", "hangs: by timeout, 1 s")):
                self.assertEqual(mutants.noticed_by(["passes", name]), (name, said))


if __name__ == "__main__":
    unittest.main()
