# SPDX-License-Identifier: Apache-2.0
"""Keeps tests/RESULTS.md: one section for each part that was run, renewed by its run and never by hand.

A section names the commit that was run. So the sources are looked at before the run, and the page is left alone where
they are not that commit's, or another one's by the end.
"""
import datetime
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PAGE = PROJECT / "tests" / "RESULTS.md"
HEAD = """\
# Results

What was run to prove that nothing is lost, and what came out. Each section is written by its run (`./dev proof PART`)
when that has passed on a commit without changes, and never by hand. What is shorter (`./dev soak`, options other than
`--seed`) does not renew it: see `proof/README.md`.
"""
MARK = "<!-- part {} -->"


@dataclass(frozen=True)
class Sources:
    commit: str  # empty: nobody knows
    changed: tuple = ()  # files that are not as in the commit; the page is none of them


def figures(lines):
    """The (name, value) pairs of a program's output: its lines `figure NAME VALUE`."""
    found = (line.split(maxsplit=2) for line in lines if line.startswith("figure "))
    return [(fields[1], fields[2].strip()) for fields in found if len(fields) == 3]


def section(part, title, lines, circumstances):
    """The lines `figure NAME VALUE` as a table; of the others, those that begin with `text `, as they are."""
    rows = [f"| {name.replace('_', ' ')} | {value.replace('|', '/')} |" for name, value in figures(lines)]
    texts = [line[len("text "):].strip() for line in lines if line.startswith("text ")]
    body = [MARK.format(part), f"## {title}", "", circumstances, ""]
    if texts:
        body += [*texts, ""]
    if rows:
        body += ["| figure | value |", "| --- | --- |", *rows, ""]
    return "\n".join(body)


def replaced(page, part, text):
    """The page with that part's section replaced, or added at its end."""
    sections = re.split(r"^(?=<!-- part )", page, flags=re.MULTILINE)[1:]
    first = MARK.format(part)
    places = [n for n, old in enumerate(sections) if old.startswith(first)]
    if places:
        sections[places[0]] = text
    else:
        sections.append(text)
    return "\n\n".join(block.strip("\n") for block in (HEAD, *sections)) + "\n"


def _said(*command):
    return subprocess.run(command, cwd=PROJECT, check=True, text=True, capture_output=True).stdout.rstrip()


def _without_page():
    return "--", ".", f":!{PAGE.relative_to(PROJECT)}"


def sources():
    """As they are now."""
    try:
        changed = _said("git", "status", "--porcelain", "--untracked-files=all", *_without_page()).splitlines()
        return Sources(_said("git", "rev-parse", "HEAD"), tuple(line[3:] for line in changed))
    except (OSError, subprocess.CalledProcessError):  # no git, or no checkout
        return Sources("")


def objection(before):
    """Why what was run is not what a section could name; nothing: it is. `before`: the sources before the run."""
    def some(files):
        return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")

    if not before.commit:
        return "this is no git checkout: there is no commit to name"
    if before.changed:
        return f"the sources were not those of commit {before.commit[:7]}: {some(before.changed)}"
    if files := _said("git", "diff", "--name-only", before.commit, "HEAD", *_without_page()).splitlines():
        return f"the last commit is no longer {before.commit[:7]}: {some(files)}"
    return None


def circumstances(build, commit):
    """Commit, date, compiler and machine in a line; `build`: the folder of the program that was run."""
    cache = (PROJECT / build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)[1]
    kind = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.MULTILINE)[1]
    version = _said(compiler, "--version").splitlines()[0]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return f"Commit {commit[:7]}, {today}, {version}, {kind}, {os.cpu_count()} cores."


def renew(part, title, lines, build, commit):
    """`lines`: what the part's program printed, to its success, made from that commit."""
    page = PAGE.read_text() if PAGE.exists() else ""
    PAGE.write_text(replaced(page, part, section(part, title, lines, circumstances(build, commit))))
