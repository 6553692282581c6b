#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes each mistake of mutant_list.py alone, in a copy of the last commit, and sees which test notices.

usage: mutants.py [WORD...]     only those whose name holds one of the words
Exit 1 if one goes unnoticed, or no longer applies; or if a test that noticed fails without a mistake, too.
"""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))
from proof.mutant_list import MUTANTS  # noqa: E402

COPY, BUILD = PROJECT / "build/mutants/source", PROJECT / "build/mutants/build"
REPORT = BUILD / "report.xml"
LONGEST = 300  # seconds for one test program; a mistake may make it hang


def mutated(mutant, text):
    """The file's text with the mistake. Raises ValueError if its place is not there, or not alone."""
    if text.count(mutant.right) != 1:
        raise ValueError(f"{mutant.file}: the place of `{mutant.name}` is there {text.count(mutant.right)} times")
    return text.replace(mutant.right, mutant.wrong)


def first_failure(report):
    """The first failed test of a JUnit report (its text); nothing: all passed."""
    for case in xml.etree.ElementTree.fromstring(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            return case.get("name")
    return None


def prepare():
    """A copy of the last commit, built without the mistakes."""
    if not COPY.exists():
        subprocess.run(["git", "worktree", "prune"], cwd=PROJECT, check=True)
        subprocess.run(["git", "worktree", "add", "--detach", COPY], cwd=PROJECT, check=True, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, check=True, text=True, capture_output=True).stdout
    subprocess.run(["git", "checkout", "--force", "--quiet", "--detach", head.strip()], cwd=COPY, check=True)
    subprocess.run(["cmake", "-S", COPY, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++",
                    "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1", "-DTULPAR_PAGE=OFF"],
                   check=True, stdout=subprocess.DEVNULL)


def build(tests):
    """True if they compile."""
    targets = [pathlib.Path(test).name for test in tests]
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
    return subprocess.run(["cmake", "--build", BUILD, "-j", jobs, "--target", *targets],
                          stdout=subprocess.DEVNULL).returncode == 0


def noticed_by(tests):
    """(program, what it said) of the first that does not pass; nothing: all do. A failed test is told by its name; a
    program that hangs or crashes tells no more than that."""
    for test in tests:
        REPORT.unlink(missing_ok=True)
        try:
            # In a file of its own: tests may print.
            ran = subprocess.run([BUILD / "tests" / test, "--abort", "--reporter", "junit", "--out", REPORT],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return test, f"{pathlib.Path(test).name}: by timeout, {LONGEST} s"
        if ran.returncode == 0:
            continue
        try:
            failed = first_failure(REPORT.read_text(errors="replace"))
        except (OSError, xml.etree.ElementTree.ParseError):
            failed = None
        return test, failed or f"{pathlib.Path(test).name}: by its end with {ran.returncode}"
    return None


def judge(mutant):
    """What came of it, in words, and the test program that noticed; nothing: none."""
    file = COPY / mutant.file
    right = file.read_text()
    file.write_text(mutated(mutant, right))
    try:
        if not build(mutant.tests):
            return "does not compile", None
        test, verdict = noticed_by(mutant.tests) or (None, "NOBODY")
        return verdict, test
    finally:
        file.write_text(right)


def main(words):
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    prepare()
    every_test = {test for mutant in chosen for test in mutant.tests}
    if not build(every_test) or noticed_by(every_test):
        sys.exit("without a mistake the tests do not pass")
    escaped, witnesses = 0, set()
    for mutant in chosen:
        verdict, test = judge(mutant)
        escaped += test is None
        witnesses |= {test} - {None}
        print(f"figure {mutant.name.replace(' ', '_')} {verdict}", flush=True)
    # A test that fails now and then would notice anything.
    if not build(every_test):
        sys.exit("afterwards, without a mistake, the tests do not compile")
    if flaky := noticed_by(sorted(witnesses)):
        sys.exit(f"afterwards, without a mistake, the tests do not pass: {flaky[1]}")
    print(f"text {len(chosen)} deliberate mistakes, each made alone; beside it the test that noticed. All "
          "that noticed passed once more without a mistake.")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
