# SPDX-License-Identifier: Apache-2.0
"""Two hosts on this machine with an emulated satellite link between them.

`site` is the mesh's side, `net` the internet's: two network namespaces, each with a TUN device `sat0`. One thread
carries the packets from device to device through two Pipes (pipe.py) and counts every IP packet: that count is what a
provider's meter would read. Needs root, /dev/net/tun and iproute2, no kernel module.

    with SatLink(rate=9600, delay=0.3, loss=0.02) as link:
        link.spawn("site", ["mosquitto", "-c", "a.conf"])
        with link.inside("net"):
            client.connect("127.0.0.1")         # sockets and threads made here belong to `net`
        link.cut(); ...; link.mend()
        print(link.count().up.sent.bytes)

Leaving the context ends every process in the two namespaces and removes them, also on SIGTERM and Ctrl-C. After a
SIGKILL the children end by themselves (pdeathsig), and the next SatLink removes the rest. The addresses are the same in
each instance: namespaces keep them apart, so that any number of links can run at once.

Thread rule: construct, enter and leave on the main thread, and spawn there too (pdeathsig watches the spawning
*thread*); count, cut, mend from any thread.
"""
import contextlib
import ctypes
import fcntl
import itertools
import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from .pipe import Count, Pipe

SITE_IP, NET_IP = "198.18.0.1", "198.18.0.2"  # the range for benchmarks between networks, RFC 2544
CLONE_NEWNET = 0x40000000  # <sched.h>
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000  # <linux/if_tun.h>
_libc = ctypes.CDLL(None, use_errno=True)
_serial = itertools.count()


def missing():
    """Why a link cannot be set up on this machine; None: it can."""
    if os.geteuid() != 0:
        return "needs root (network namespaces)"
    probe = f"tulpar-lab-{os.getpid()}-{next(_serial)}-probe"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
        _ip("netns", "add", probe)  # a container may forbid it even to root
        _ip("netns", "del", probe)
    except (OSError, RuntimeError) as error:
        return f"needs TUN devices and network namespaces: {error}"
    return None


def _ip(*arguments):
    result = subprocess.run(["ip", *arguments], text=True, capture_output=True)
    if result.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def _in_namespace(name):
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(before)
        os.close(there)
        os.close(before)


def _end_namespace(name):
    """Kills what still runs inside (a daemon's own children too) and removes it."""
    for _ in range(50):
        pids = [int(pid) for pid in _ip("netns", "pids", name).split() if int(pid) != os.getpid()]
        if not pids:
            break
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    _ip("netns", "del", name)


def _program(pid):
    """The name of the file that a process runs; none if it has ended."""
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    return None


def _sweep():
    """Removes what links of killed processes left behind; their names tell the process."""
    for name in re.findall(r"^tulpar-lab-\d+-\d+-\w+", _ip("netns", "list"), re.MULTILINE):
        if not os.path.exists(f"/proc/{name.split('-')[2]}"):
            with contextlib.suppress(RuntimeError):  # another instance may be sweeping too
                _end_namespace(name)


@dataclass(frozen=True)
class LinkCount:
    up: Count
    down: Count

    def __sub__(self, other):
        return LinkCount(self.up - other.up, self.down - other.down)

    @property
    def wire(self):
        """IP bytes put on the air, both directions."""
        return self.up.sent.bytes + self.down.sent.bytes

    @property
    def seen_by_site(self):
        """IP bytes that the site's host can know of: what it sent and what reached it."""
        return self.up.sent.bytes + self.down.arrived.bytes


class SatLink:
    def __init__(self, rate=9600, down_rate=None, delay=0.3, jitter=0.0, loss=0.0, burst=1, buffer=64_000, mtu=1500,
                 seed=1):
        """Rates in bits a second, delay (one way) and jitter in seconds, loss as a share, buffer and mtu in bytes."""
        self.namespaces = {side: f"tulpar-lab-{os.getpid()}-{next(_serial)}-{side}" for side in ("site", "net")}
        self.site_ip, self.net_ip = SITE_IP, NET_IP
        self._mtu = mtu
        self._up = Pipe(rate, delay, jitter, loss, burst, buffer, seed)
        self._down = Pipe(down_rate or rate, delay, jitter, loss, burst, buffer, seed + 1)
        self._lock = threading.Lock()  # over both pipes
        self._last_packet = time.monotonic()
        self._processes = []
        self._cleanup = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._turn_sigterm_into_exit(stack)
            _sweep()
            site, net = (self._make_host(stack, side, ip) for side, ip in (("site", SITE_IP), ("net", NET_IP)))
            self._start_carrier(stack, site, net)
            stack.callback(self._end_processes)
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def inside(self, side):
        """Context: this thread stands in the namespace; sockets, threads and processes that it makes stay there."""
        return _in_namespace(self.namespaces[side])

    def spawn(self, side, command, **popen):
        """Starts a process in the namespace; its pid is the command's own. On return the command itself runs, so that
        from here on it dies with this process: until setpriv is through, nothing would tell it."""
        with self.inside(side):
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                                       start_new_session=True, **popen)
        self._processes.append(process)
        while _program(process.pid) == "setpriv":
            time.sleep(0.001)
        return process

    def run(self, side, command, **options):
        """Runs a command in the namespace to its end."""
        with self.inside(side):
            return subprocess.run([*map(str, command)], **options)

    def cut(self):
        with self._lock:
            self._up.cut()
            self._down.cut()

    def mend(self):
        with self._lock:
            self._up.mend()
            self._down.mend()

    def count(self):
        with self._lock:
            now = time.monotonic()
            return LinkCount(self._up.count(now), self._down.count(now))

    def wait_quiet(self, seconds, timeout):
        """Returns once no host has offered a packet for that long; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            now = time.monotonic()
            with self._lock:
                idle_at = self._last_packet + seconds
            if idle_at <= now:
                return
            if now >= deadline:
                raise TimeoutError(f"the link was not quiet for {seconds} s within {timeout} s")
            time.sleep(min(idle_at, deadline) - now)

    @staticmethod
    def _turn_sigterm_into_exit(stack):
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
            stack.callback(signal.signal, signal.SIGTERM, signal.SIG_DFL)

    def _make_host(self, stack, side, address):
        """The namespace with its TUN device, up; returns the device's descriptor."""
        name = self.namespaces[side]
        _ip("netns", "add", name)
        stack.callback(_end_namespace, name)
        with self.inside(side):
            # Router solicitations would cross the link and be counted.
            with contextlib.suppress(OSError), open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as ipv6:
                ipv6.write("1")
            tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            stack.callback(os.close, tun)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"sat0", IFF_TUN | IFF_NO_PI))
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "addr", "add", f"{address}/30", "dev", "sat0")
        _ip("-n", name, "link", "set", "sat0", "mtu", str(self._mtu), "up")
        return tun

    def _start_carrier(self, stack, site, net):
        stop, stopper = os.pipe()
        stack.callback(os.close, stop)
        stack.callback(os.close, stopper)
        carrier = threading.Thread(target=self._carry, args=(site, net, stop), daemon=True, name="satlink")
        carrier.start()
        stack.callback(carrier.join)
        stack.callback(os.write, stopper, b"x")

    def _carry(self, site, net, stop):
        ways = ((site, self._up, net), (net, self._down, site))
        poll = select.epoll()
        for fd in (site, net, stop):
            poll.register(fd, select.EPOLLIN)
        timeout = None
        while True:
            ready = [fd for fd, _ in poll.poll(timeout)]
            if stop in ready:
                break
            with self._lock:
                for source, pipe, _ in ways:
                    if source in ready:
                        self._take(source, pipe)
                now = time.monotonic()
                due = [(sink, packet) for _, pipe, sink in ways for packet in pipe.step(now)]
                wakes = [wake for _, pipe, _ in ways if (wake := pipe.next_wake()) is not None]
            for sink, packet in due:
                os.write(sink, packet)
            timeout = max(0.0, min(wakes) - time.monotonic()) if wakes else None
        poll.close()

    def _take(self, source, pipe):
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(source, 65_535)
                self._last_packet = time.monotonic()
                pipe.offer(self._last_packet, packet)

    def _end_processes(self):
        """Asks first: a daemon that ends cleanly removes its own children and files."""
        running = [process for process in self._processes if process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + 5
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
