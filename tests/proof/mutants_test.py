#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys
import unittest

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


if __name__ == "__main__":
    unittest.main()
