# SPDX-License-Identifier: Apache-2.0
"""Keeps tests/RESULTS.md: one section for each part that was run, renewed by its run and never by hand."""
import datetime
import os
import pathlib
import re
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PAGE = PROJECT / "tests" / "RESULTS.md"
HEAD = """\
# Results

What was run to prove that nothing is lost, and what came out. Each section is written by its run
(`./dev proof PART`, `./dev soak`) when that has passed, and never by hand: see `proof/README.md`.
"""
MARK = "<!-- part {} -->"


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
    head, *sections = re.split(r"^(?=<!-- part )", page or HEAD + "\n", flags=re.MULTILINE)
    first = MARK.format(part)
    places = [n for n, old in enumerate(sections) if old.startswith(first)]
    if places:
        sections[places[0]] = text
    else:
        sections.append(text)
    return "\n\n".join(block.strip("\n") for block in (head, *sections)) + "\n"


def circumstances(build):
    """Commit, date, compiler and machine in a line; `build`: the folder of the program that was run."""
    def said(*command):
        return subprocess.run(command, cwd=PROJECT, check=True, text=True, capture_output=True).stdout.strip()

    changed = said("git", "status", "--porcelain", "--", ".", f":!{PAGE.relative_to(PROJECT)}")
    commit = said("git", "rev-parse", "--short", "HEAD") + ("+" if changed else "")
    cache = (PROJECT / build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)[1]
    kind = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.MULTILINE)[1]
    version = said(compiler, "--version").splitlines()[0]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return f"Commit {commit}, {today}, {version}, {kind}, {os.cpu_count()} cores."


def renew(part, title, lines, build="build"):
    """`lines`: what the part's program printed, to its success."""
    page = PAGE.read_text() if PAGE.exists() else ""
    PAGE.write_text(replaced(page, part, section(part, title, lines, circumstances(build))))
