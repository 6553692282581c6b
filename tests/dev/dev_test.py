# SPDX-License-Identifier: Apache-2.0
"""What ./dev installs, builds and runs, on a machine whose apt, sudo, cmake and npm only write down what was asked."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# What ./dev itself uses of the machine; everything else is one of the STUBS or is not there.
TOOLS = ["bash", "cat", "cmp", "cp", "dirname", "env", "grep", "mkdir", "mv", "nproc", "readlink", "sh", "touch"]
LOG = '#!/bin/sh\nprintf "%s\\n" "${0##*/} $*" >> "$PLACE/log"\n'
STUBS = {
    "dpkg-query": 'shift 3; for name; do sed -n "s/^$name /&/p" "$PLACE/packages"; done; exit 1',
    "apt-get": '[ "$1" = update ] && exit; [ -e "$PLACE/apt_fails" ] && exit 100\n'
               'for name; do echo "$name installed" >> "$PLACE/packages"; done',
    "sudo": 'exec "$@"',
    "systemctl": "",
    "node": "",
    "npm": '[ "$1" != ci ] || mkdir -p node_modules',
    "ctest": "",
    "cmake": 'case $1:$2 in\n'
             '--preset:release) mkdir -p build; touch build/build.ninja ;;\n'
             '--preset:*) mkdir -p "build/$2"; touch "build/$2/build.ninja" ;;\n'
             '--build:build) printf \'#!/bin/sh\\necho "tulpar $*"\\n\' > build/tulpar; chmod +x build/tulpar ;;\nesac',
    "readelf": 'for file; do :; done; cat "$file"',
    "objcopy": 'for to; do from=$before before=$to; done; cp "$from" "$to"; echo "# .gnu_debuglink" >> "$to"',
}


class Dev(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.root.chmod(0o777)  # the tests run it as nobody
        page = self.root / "gateway" / "web" / "page"
        (self.root / "bin").mkdir()
        page.mkdir(parents=True)
        page.chmod(0o777)
        (page / "package-lock.json").write_text("{}\n")
        (self.root / "packages").touch(0o666)
        (self.root / "packages").chmod(0o666)
        (self.root / ".lint").mkdir()
        for name in ["dev", "CMakePresets.json", ".lint/check_release"]:
            shutil.copy(PROJECT / name, self.root / name)
        os.utime(self.root / "CMakePresets.json", (1, 1))
        for name in TOOLS + ["sed", "chmod"]:
            (self.root / "bin" / name).symlink_to(shutil.which(name))
        for name, body in STUBS.items():
            self.stub(name, body)

    def stub(self, name, body):
        (self.root / "bin" / name).write_text(LOG + body + "\n")
        (self.root / "bin" / name).chmod(0o755)

    def run_dev(self, *args, code=0):
        """Returns what the stubs wrote down, less what merely asks; self.said holds the output."""
        log = self.root / "log"
        log.write_text("")
        log.chmod(0o666)
        env = {"PATH": str(self.root / "bin"), "PLACE": str(self.root), "CMAKE_BUILD_PARALLEL_LEVEL": "3"}
        as_nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run([self.root / "dev", *args], env=env, capture_output=True, text=True, **as_nobody)
        self.said = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, self.said)
        return [line for line in log.read_text().splitlines() if not line.startswith(("dpkg-query", "readelf"))]

    def installed(self, *names):
        with open(self.root / "packages", "a") as file:
            file.writelines(f"{name} installed\n" for name in names)

    def all_installed(self):
        self.installed(*re.findall(r"[\w.+-]+", " ".join(
            re.findall(r"_packages=\((.*?)\)", (PROJECT / "dev").read_text(), re.DOTALL))))

    def test_a_fresh_machine(self):
        for name in ["node", "npm"]:
            (self.root / "bin" / name).unlink()
        # Debian's packages bring them.
        self.stub("apt-get", STUBS["apt-get"] + '\nfor name in node npm; do cp "$PLACE/bin/hidden_npm" "$PLACE/bin/$name"; done')
        self.stub("hidden_npm", STUBS["npm"])
        (self.root / "bin").chmod(0o777)
        calls = self.run_dev("demo", "--rate", "9600")
        update, install = [line for line in calls if line.startswith("apt-get ")]
        self.assertEqual(update, "apt-get update")
        self.assertIn("install -y --no-install-recommends", install)
        for name in ["g++", "libboost1.81-dev", "mosquitto", "tzdata", "nodejs", "npm", "ca-certificates"]:
            self.assertIn(f" {name} ", install + " ")
        for name in ["chromium", "clang-tidy"]:  # the demo does without
            self.assertNotIn(name, install)
        rest = [line for line in calls if not line.startswith(("apt-get", "sudo"))]
        self.assertEqual(rest[:2], ["systemctl --quiet disable mosquitto", "systemctl --quiet stop mosquitto"])
        self.assertEqual(rest[2:4], ["cmake --preset release", "cmake --build build --parallel 3 --target tulpar"])
        self.assertTrue(self.said.endswith("\ntulpar demo --rate 9600\n"), self.said)
        # sudo for the installation, and for nothing else.
        self.assertEqual([line.split()[1] for line in calls if line.startswith("sudo")],
                         ["apt-get", "env", "systemctl", "systemctl"])

    def test_nothing_is_done_twice(self):
        self.all_installed()
        first = self.run_dev("build")
        self.assertEqual(first[0], "cmake --preset release")
        self.assertEqual([line.split()[1] for line in first if line.startswith("objcopy")],
                         ["--only-keep-debug", "--preserve-dates"])
        self.stub("cmake", "")  # as ninja, which finds nothing to do
        self.assertEqual(self.run_dev("build"), ["cmake --build build --parallel 3 --target tulpar"])

    def test_what_changed_is_done_again(self):
        self.all_installed()
        again = ["npm ci --no-audit --no-fund", "cmake --preset dev"]
        self.assertEqual(self.run_dev("test")[:2], again)
        self.assertNotIn(again[0], self.run_dev("test"))
        self.assertNotIn(again[1], self.run_dev("test"))
        (self.root / "gateway/web/page/package-lock.json").write_text('{"name": "x"}\n')
        os.utime(self.root / "CMakePresets.json")
        self.assertEqual(self.run_dev("test")[:2], again)

    def test_only_what_is_missing(self):
        self.all_installed()
        packages = (self.root / "packages").read_text()
        (self.root / "packages").write_text(packages.replace("ccache installed", "ccache config-files"))
        calls = self.run_dev("build")
        self.assertIn("apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 ccache", calls)
        # A broker that was here before is somebody's.
        self.assertEqual([line for line in calls if line.startswith("systemctl")], [])

    def test_a_failed_installation(self):
        (self.root / "apt_fails").touch()
        calls = self.run_dev("build", code=100)
        self.assertEqual([line for line in calls if line.startswith(("cmake", "npm"))], [])
        self.assertIn("systemctl --quiet disable mosquitto", calls)

    @unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody who may not install")
    def test_neither_root_nor_sudo(self):
        (self.root / "bin" / "sudo").unlink()
        calls = self.run_dev("build", code=1)
        self.assertIn("neither root nor sudo; run this as root once: apt-get update", self.said)
        self.assertEqual([line for line in calls if line.startswith("apt-get")], [])

    def test_the_tests(self):
        self.all_installed()
        calls = self.run_dev("test", "-R", "store")
        self.assertEqual(calls[-5:], [
            "cmake --preset dev", "cmake --build build/dev --parallel 3", "npm test", "npm run browser",
            "ctest --test-dir build/dev --parallel 3 --output-on-failure --no-tests=error -R store"])
        for part in ["test", "run"]:
            self.stub("npm", f"[ $1 != {part} ]")
            self.assertFalse(self.run_dev("test", code=1)[-1].startswith("ctest"))
        self.stub("npm", "")
        self.stub("ctest", "exit 8")
        self.run_dev("test", code=8)

    def test_the_sanitizers(self):
        self.all_installed()
        self.assertEqual(self.run_dev("sanitize", "asan"), [
            "cmake --preset asan",
            "cmake --build build/asan --parallel 3 --target"
            " tests/config/all tests/queue/all tests/bridge/all tests/gateway/all tests/fuzz/all",
            "ctest --test-dir build/asan -L unit -E ^$ --parallel 3 --output-on-failure --no-tests=error"])
        self.assertEqual(self.run_dev("sanitize", "tsan"), [
            "cmake --preset tsan",
            "cmake --build build/tsan --parallel 3 --target tests/queue/all tests/bridge/all tests/gateway/all",
            "ctest --test-dir build/tsan -L unit -E ^(fuzz corpus|proof): --parallel 3 --output-on-failure --no-tests=error"])
        self.run_dev("sanitize", code=1)
        self.assertIn("PRESET is asan or tsan", self.said)

    def test_a_release_with_fail_points_is_none(self):
        self.all_installed()
        self.stub("cmake", "mkdir -p build; echo tulpar-build-with-fail-points > build/tulpar")
        self.run_dev("build", code=1)
        self.assertIn("build/tulpar is built with TULPAR_FAIL_POINTS", self.said)

    def test_the_proof(self):
        self.all_installed()
        run = self.root / "tests" / "proof" / "run"
        run.parent.mkdir(parents=True)
        run.write_text('#!/bin/sh\necho "proof $*"\n')
        run.chmod(0o755)
        configured, built = self.run_dev("soak", "--seed", "3")
        self.assertEqual(configured, "cmake --preset dev")
        self.assertEqual(built, "cmake --build build/dev --parallel 3 --target tulpar")
        self.assertTrue(self.said.endswith("\nproof soak --minutes 2 --seed 3\n"), self.said)
        self.assertEqual(self.run_dev("proof", "flood", "--seed", "1"),
                         ["cmake --preset release", "cmake --build build --parallel 3"])
        self.assertTrue(self.said.endswith("\nproof flood --seed 1\n"), self.said)
        self.assertEqual(self.run_dev("proof"), [])
        self.assertTrue(self.said.endswith("proof --list\n"), self.said)

    def test_usage(self):
        self.assertEqual(self.run_dev(), [])
        self.assertTrue(self.said.startswith("Usage: ./dev COMMAND\n"))
        for command in re.findall(r"^  (\w+)", self.said, re.MULTILINE):
            self.assertIn(f"run_{command}() {{", (PROJECT / "dev").read_text())
        self.run_dev("brew", code=2)
        self.assertIn("Usage: ", self.said)
        self.run_dev("fuzz", "1; true", code=1)
        self.assertIn("SECONDS is a whole number", self.said)


if __name__ == "__main__":
    unittest.main()
