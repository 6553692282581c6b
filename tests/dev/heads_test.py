# SPDX-License-Identifier: Apache-2.0
"""What .lint/check_heads says of good and of bad beginnings."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / ".lint" / "check_heads"
SPDX = "SPDX-License-Identifier: Apache-2.0"


class Heads(unittest.TestCase):
    def check(self, name, text):
        """Returns [(line, what)] for a file of that name and text."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_text(text)
            done = subprocess.run([sys.executable, SCRIPT, file], capture_output=True, text=True)
            self.assertEqual(done.stderr, "")
            self.assertEqual(done.returncode, 1 if done.stdout else 0)
            found = [line.removeprefix(f"{file}:").split(": ", 1) for line in done.stdout.splitlines()]
        return [(int(line), what) for line, what in found]

    def test_good_ones(self):
        head = "".join(f"// line {n}\n" for n in range(12))
        for name, text in [("a.hpp", f"// {SPDX}\n//\n// What for.\n#pragma once\n"),
                           ("a.hpp", f"// {SPDX}\n//\n{head}#pragma once\n"),
                           ("a.hpp", f"// {SPDX}\n\n// What for.\n\n#pragma once\n"),
                           ("a.cpp", f"// {SPDX}\nint x;\n"), ("a.tsx", f"// {SPDX}\n"), ("a.mjs", f"// {SPDX}\n"),
                           ("CMakeLists.txt", f"# {SPDX}\n"), ("run", f"#!/bin/sh\n# {SPDX}\n"),
                           ("a.cpp", f"// {SPDX}\n" + "int x;\n" * 399)]:
            with self.subTest(name=name):
                self.assertEqual(self.check(name, text), [])

    def test_missing_licence(self):
        for name, text, line in [("a.cpp", "", 1), ("a.cpp", "int x;\n", 1), ("a.cpp", f"// x\n// {SPDX}\n", 1),
                                 ("a.cpp", f"# {SPDX}\n", 1), ("run", "#!/bin/sh\necho\n", 2),
                                 ("a.ts", "// SPDX-License-Identifier: MIT\n", 1)]:
            with self.subTest(name=name, text=text):
                ((at, what),) = self.check(name, text)
                self.assertEqual(at, line)
                self.assertIn(SPDX, what)

    def test_missing_pragma(self):
        for text, line in [(f"// {SPDX}\n// What for.\n#include <vector>\n#pragma once\n", 3), (f"// {SPDX}\n", 2)]:
            ((at, what),) = self.check("a.hpp", text)
            self.assertEqual(at, line)
            self.assertIn("#pragma once", what)

    def test_too_long(self):
        ((at, what),) = self.check("a.cpp", f"// {SPDX}\n" + "int x;\n" * 400)
        self.assertEqual((at, what[:13]), (401, "has 401 lines"))
        ((at, what),) = self.check("a.hpp", f"// {SPDX}\n//\n" + "// x\n" * 13 + "#pragma once\n")
        self.assertEqual((at, what[:30]), (15, "has a head comment of 13 lines"))


if __name__ == "__main__":
    unittest.main()
