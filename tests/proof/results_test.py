# SPDX-License-Identifier: Apache-2.0
"""tests/RESULTS.md: a part's section is replaced by its run and by nothing else; and what `run` does about failures."""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from proof import results  # noqa: E402

LINES = ["building", "figure seed 7", "figure lost_ones 0", "figure by test a | b", "figure incomplete",
         "text Note this.", "figurehead 1 2"]


class SectionTest(unittest.TestCase):
    def test_figures(self):
        self.assertEqual(results.figures(LINES), [("seed", "7"), ("lost_ones", "0"), ("by", "test a | b")])

    def test_section(self):
        self.assertEqual(results.section("soak", "Crash soak", LINES, "Commit 1."), """\
<!-- part soak -->
## Crash soak

Commit 1.

Note this.

| figure | value |
| --- | --- |
| seed | 7 |
| lost ones | 0 |
| by | test a / b |
""")

    def test_a_part_replaces_its_own_section_only(self):
        def section(part, value):
            return results.section(part, part.title(), [f"figure n {value}"], "Commit 1.")

        page = results.replaced("", "soak", section("soak", 1))
        self.assertTrue(page.startswith("# Results\n"))
        page = results.replaced(page, "so", section("so", 2))
        page = results.replaced(page, "flood", section("flood", 3))
        again = results.replaced(page, "so", section("so", 4))
        self.assertEqual(again, page.replace("| n | 2 |", "| n | 4 |"))
        self.assertEqual(results.replaced(again, "so", section("so", 2)), page)
        self.assertEqual([line for line in page.splitlines() if line.startswith("<!--")],
                         ["<!-- part soak -->", "<!-- part so -->", "<!-- part flood -->"])
        self.assertNotIn("\n\n\n", page)
        self.assertTrue(page.endswith("|\n"))


@unittest.skipUnless(shutil.which("git"), "needs git")
class SourcesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = pathlib.Path(folder.name)
        for name, to in (("PROJECT", self.project), ("PAGE", self.project / "RESULTS.md")):
            patched = mock.patch.object(results, name, to)
            patched.start()
            self.addCleanup(patched.stop)

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=self.project, check=True,
                       capture_output=True)

    def commit(self, name):
        self.write(name)
        self.git("add", "--all")
        self.git("commit", "-m", name)

    def write(self, name):
        (self.project / name).write_text("x")

    def test_no_checkout_has_no_commit(self):
        self.assertIn("no git checkout", results.objection(results.sources()))

    def test_a_clean_commit_is_named_whatever_became_of_the_page(self):
        self.git("init")
        self.commit("a.cpp")
        before = results.sources()
        self.assertEqual((len(before.commit), before.changed), (40, ()))
        self.assertIsNone(results.objection(before))
        self.write("RESULTS.md")
        self.assertIsNone(results.objection(results.sources()))
        self.commit("RESULTS.md")
        self.assertIsNone(results.objection(before))

    def test_changes_before_or_a_commit_meanwhile_are_objected_to(self):
        self.git("init")
        self.commit("a.cpp")
        before = results.sources()
        for name in ("b.py", "c.py", "d.py", "e.py"):
            self.write(name)
        self.assertEqual(results.objection(results.sources()),
                         f"the sources were not those of commit {before.commit[:7]}: b.py, c.py, d.py and 1 more")
        self.assertIsNone(results.objection(before))  # what is written meanwhile was not what was built
        self.commit("b.py")
        self.assertIn("the last commit is no longer", results.objection(before))


class RunTest(unittest.TestCase):
    def setUp(self):
        loader = importlib.machinery.SourceFileLoader("proof_run", str(HERE / "run"))
        self.run = importlib.util.module_from_spec(importlib.util.spec_from_loader("proof_run", loader))
        with mock.patch.dict(sys.modules, proof_run=self.run):  # dataclasses look their module up
            loader.exec_module(self.run)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.renewed = []
        self.run.HERE, self.run.PARTS = self.folder, {}
        self.objection = None
        self.run.results = mock.Mock(
            sources=lambda: results.Sources("c0ffee"), objection=lambda before: self.objection,
            renew=lambda *arguments: self.renewed.append(arguments))

    def part(self, name, script, **more):
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.run.PARTS[name] = self.run.Part(name.title(), "build", name, **more)

    def main(self, *arguments):
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said), contextlib.redirect_stderr(self.said):
            return self.run.main(list(arguments))

    def test_what_passes_renews_its_section(self):
        self.part("one", 'echo "figure seed $2"')
        self.part("two", "echo figure n 2")
        self.assertEqual(self.main("one", "--seed", "7"), 0)
        self.assertEqual(self.renewed, [("one", "One", ["figure seed 7"], "build", "c0ffee")])
        self.assertEqual(self.main("two", "one"), 0)
        self.assertEqual([part for part, *_ in self.renewed], ["one", "two", "one"])
        self.assertIn("figure n 2\n", self.said.getvalue())

    def test_what_is_shorter_does_not(self):
        self.part("one", "true")
        for options in (["--minutes", "2"], ["--seed", "7", "--minutes", "2"], ["--full"]):
            self.assertEqual(self.main("one", *options), 0)
            self.assertIn("left as it is", self.said.getvalue())
        self.assertEqual(self.renewed, [])

    def test_the_page_shows_what_is_whole(self):
        self.part("one", 'echo "figure words $*"', whole="--minutes 60")
        self.main("one")
        self.main("one", "--seed=7")
        self.assertEqual([lines for _, _, lines, *_ in self.renewed],
                         [["figure words --minutes 60"], ["figure words --minutes 60 --seed=7"]])
        self.main("one", "--minutes", "2")
        self.assertIn("figure words --minutes 2\n", self.said.getvalue())

    def test_what_is_not_the_commit_that_it_would_name_does_not(self):
        self.objection = "somebody wrote meanwhile"
        self.part("one", "true")
        self.part("copy", "true", last_commit=True)
        self.assertEqual(self.main("one", "copy"), 0)
        self.assertEqual([part for part, *_ in self.renewed], ["copy"])
        self.assertIn("left as it is: somebody wrote meanwhile", self.said.getvalue())

    def test_a_failure_says_how_to_have_it_again(self):
        self.part("bad", "exit 1")
        self.main("bad", "--seed", "7", "--broker", "a b")
        self.assertIn("again: ./dev proof bad --seed 7 --broker 'a b'\n", self.said.getvalue())

    def test_what_fails_or_is_skipped_does_not(self):
        self.part("bad", "echo figure n 2; exit 3")
        self.part("absent", "exit 77")
        self.part("good", "true")
        self.assertEqual(self.main("absent"), 77)
        self.assertEqual(self.main("bad", "absent", "good"), 3)
        self.assertEqual(self.main("good", "absent"), 77)
        self.assertEqual([part for part, *_ in self.renewed], ["good", "good"])

    def test_what_is_no_part(self):
        self.part("one", "true")
        self.part("two", "true")
        for arguments in ([], ["three"], ["one", "three"], ["one", "two", "--seed", "1"], ["--seed", "1"]):
            self.assertEqual(self.main(*arguments), 2, arguments)
        self.assertEqual(self.renewed, [])
        self.assertEqual(self.main("--list"), 0)
        self.assertEqual([line.split() for line in self.said.getvalue().splitlines()], [["one", "One"], ["two", "Two"]])


if __name__ == "__main__":
    unittest.main()
