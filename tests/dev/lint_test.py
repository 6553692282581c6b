# SPDX-License-Identifier: Apache-2.0
"""Each check of .lint/run sees the one file that is wrong for it, also a new one, and the others still run."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SPDX = "SPDX-License-Identifier: Apache-2.0"
# Stand-ins for the slow tools: each fails where a file that it is given, or finds, holds its word.
CLANG_FORMAT = '#!/bin/sh\nshift 2\n! grep UGLY "$@"\n'
CLANG_TIDY = '#!/bin/sh\n[ "$1" = --version ] || ! grep RISKY "$4"\n'
TSC = "#!/bin/sh\n! grep -r UNTYPED src\n"
CHECKS = ["layout", "folders' includes", "heads of files", "shell syntax", "Python syntax", "the release",
          "the page's types", "clang-tidy"]


@unittest.skipUnless(shutil.which("git"), "lint asks git for the files; no git here")
class Lint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        shutil.copytree(PROJECT / ".lint", self.root / ".lint", ignore=shutil.ignore_patterns("__pycache__"))
        for path, text in [("bin/clang-format", CLANG_FORMAT), ("bin/clang-tidy", CLANG_TIDY),
                           ("gateway/web/page/node_modules/.bin/tsc", TSC)]:
            self.write(path, text)
            (self.root / path).chmod(0o755)
        self.write(".gitignore", "/bin/\nnode_modules/\n/build/\n")
        self.write(".clang-tidy", "")
        self.write("gateway/web/page/src/main.ts", f"// {SPDX}\n")
        self.write("queue/store.cpp", f"// {SPDX}\n")
        self.write("build/compile_commands.json",
                   f'[{{"directory": "/", "command": "c++", "file": "{self.root}/queue/store.cpp"}}]')
        subprocess.run(["git", "init", "--quiet", self.root], check=True)
        subprocess.run(["git", "-C", self.root, "add", "."], check=True)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def failing(self):
        """Runs all checks and returns the names of those that fail."""
        path = f"{self.root}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run([self.root / ".lint" / "run", "build", "2"], cwd="/", env=dict(os.environ, PATH=path),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        results = re.findall(r"^(ok  |FAIL)  (.*?)(?: \(\./dev.*\))? \(\d+ s\)$", done.stdout, re.MULTILINE)
        self.assertEqual([name for _, name in results], CHECKS, done.stdout + done.stderr)
        failed = [name for result, name in results if result == "FAIL"]
        self.assertEqual(done.returncode, 1 if failed else 0, done.stdout)
        return failed

    def test_a_clean_tree(self):
        self.assertEqual(self.failing(), [])

    def test_each_violation_is_seen_by_its_check(self):
        for check, path, text in [
                ("layout", "bridge/new.hpp", f"// {SPDX}\n#pragma once\nUGLY\n"),
                ("folders' includes", "queue/new.cpp", f'// {SPDX}\n#include "bridge/x.hpp"\n'),
                ("heads of files", "config/CMakeLists.txt", "add_library(x)\n"),
                ("heads of files", "tests/lab/tool.py", "print()\n"),
                ("shell syntax", "tests/bench/run", f"#!/usr/bin/env bash\n# {SPDX}\nif true; then\n"),
                ("shell syntax", "tests/bench/more.sh", f"#!/bin/sh\n# {SPDX}\ndone\n"),
                ("Python syntax", "tests/lab/mesh.py", f"# {SPDX}\ndef f(:\n"),
                ("Python syntax", ".lint/more", f"#!/usr/bin/env python3\n# {SPDX}\ndef f(:\n"),
                ("the page's types", "gateway/web/page/src/app.tsx", f"// {SPDX}\nUNTYPED\n")]:
            with self.subTest(path=path):
                self.write(path, text)
                self.assertEqual(self.failing(), [check])
                (self.root / path).unlink()
        self.write("queue/store.cpp", f"// {SPDX}\nRISKY\n")
        self.assertEqual(self.failing(), ["clang-tidy"])

    def test_a_release_with_fail_points(self):
        self.write("build/tulpar", "\0of no use to anybody\0")
        self.assertEqual(self.failing(), [])
        self.write("build/tulpar", "\0tulpar-build-with-fail-points\0")
        self.assertEqual(self.failing(), ["the release"])

    def test_ignored_and_deleted_files_are_not_looked_at(self):
        self.write("build/generated.sh", "#!/bin/sh\ndone\n")
        (self.root / "gateway/web/page/src/main.ts").unlink()
        self.assertEqual(self.failing(), [])


if __name__ == "__main__":
    unittest.main()
