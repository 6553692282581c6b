# SPDX-License-Identifier: Apache-2.0
"""Plants includes in a tree of its own and reads what .lint/check_includes says, with the project's own table."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


class Includes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / ".lint").mkdir()
        shutil.copy(PROJECT / ".lint" / "includes", self.root / ".lint")

    def plant(self, path, *lines):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("// SPDX-License-Identifier: Apache-2.0\n" + "".join(line + "\n" for line in lines))

    def check(self):
        """Returns the printed lines; exit code and output must agree."""
        done = subprocess.run([sys.executable, PROJECT / ".lint" / "check_includes", self.root],
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 1 if done.stdout else 0)
        return done.stdout.splitlines()

    def refused(self, path, include):
        """Plants one include, expects one finding at its line, and returns it."""
        self.plant(path, "#include <vector>", include)
        found = self.check()
        (self.root / path).unlink()
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:3: "), found[0])
        return found[0]

    def test_what_the_table_allows(self):
        self.plant("config/types.hpp", '#include "config/base.hpp"', "#include <chrono>")
        self.plant("queue/store.cpp", '#include "queue/store.hpp"', '#include "config/base.hpp"', "#include <sqlite3.h>")
        self.plant("bridge/meshtastic/codec.cpp", '#include "bridge/utf8.hpp"', '#include "queue/message.hpp"')
        self.plant("gateway/link/transport/tls.cpp", '#include "gateway/link/frame.hpp"', "#include <boost/asio/ssl.hpp>")
        self.plant("gateway/web/api.cpp", '#include "gateway/link/status.hpp"', "#include <boost/beast/http.hpp>")
        self.plant("gateway/relay.cpp", '#include "gateway/web/server.hpp"', '#include "bridge/sink.hpp"')
        self.plant("tests/gateway/relay_test.cpp", '#include "tests/catch.hpp"', '#include "gateway/relay.hpp"')
        self.assertEqual(self.check(), [])

    def test_layers(self):
        for path, target in [("config/load.cpp", "queue/message.hpp"), ("queue/store.hpp", "bridge/utf8.hpp"),
                             ("queue/store.cpp", "gateway/relay.hpp"), ("bridge/sink.cpp", "gateway/link/frame.hpp"),
                             ("gateway/link/frame.cpp", "bridge/utf8.hpp"), ("gateway/link/frame.cpp", "gateway/relay.hpp"),
                             ("gateway/link/frame.cpp", "gateway/web/api.hpp"),
                             ("gateway/web/api.cpp", "gateway/link/session.hpp"),
                             ("gateway/web/api.cpp", "gateway/link/status.hpp.in"),
                             ("gateway/web/api.cpp", "gateway/appliance.hpp"), ("gateway/relay.cpp", "tests/fake.hpp")]:
            with self.subTest(path=path, target=target):
                self.assertIn(target, self.refused(path, f'#include "{target}"'))
        # Our root is on the search path of <> too, and blanks change nothing.
        self.refused("queue/store.cpp", "#include <bridge/utf8.hpp>")
        self.refused("queue/store.cpp", '  #  include   "bridge/utf8.hpp"')

    def test_the_message_says_what_is_allowed(self):
        self.assertEqual(self.refused("bridge/sink.cpp", '#include "gateway/relay.hpp"'),
                         'bridge/sink.cpp:3: includes "gateway/relay.hpp";'
                         " bridge/ may include only bridge/ config/ queue/")

    def test_ours_are_written_from_the_root(self):
        self.assertIn("from the project's root", self.refused("queue/store.cpp", '#include "store.hpp"'))
        self.assertIn("from the project's root", self.refused("queue/store.cpp", '#include "../config/base.hpp"'))

    def test_a_folder_without_a_line_is_refused(self):
        self.plant("util/strings.cpp")
        self.plant("build/generated.cpp", '#include "x.hpp"')
        self.plant("gateway/web/page/node_modules/some/addon.cc", '#include "x.hpp"')
        self.assertEqual([line.split(": ")[0] for line in self.check()], ["util/strings.cpp:1"])

    def test_rare_headers(self):
        for header in ["boost/beast.hpp", "boost/beast/core/tcp_stream.hpp", "boost/asio/ssl.hpp", "boost/asio/ssl/stream.hpp"]:
            self.assertIn("a header includes", self.refused("gateway/web/server.hpp", f"#include <{header}>"))
        self.plant("gateway/web/server.hpp", "#include <boost/asio/sslx.hpp>", "#include <boost/asio/ip/tcp.hpp>")
        self.assertEqual(self.check(), [])

    def test_too_many_sources_with_rare_headers(self):
        for number in range(5):
            self.plant(f"gateway/web/part{number}.cpp", "#include <boost/beast/core.hpp>", "#include <boost/beast/http.hpp>")
        self.assertEqual(self.check(), [])
        self.plant("gateway/web/zone.cpp", "#include <boost/beast/core.hpp>")
        (line,) = self.check()
        self.assertTrue(line.startswith("gateway/web/zone.cpp:2: includes boost/beast as one of 6 sources, at most 5"), line)

    def test_a_broken_table_is_named(self):
        (self.root / ".lint" / "includes").write_text("queue/ config/\n")
        done = subprocess.run([sys.executable, PROJECT / ".lint" / "check_includes", self.root],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("includes:1: neither", done.stderr)


if __name__ == "__main__":
    unittest.main()
