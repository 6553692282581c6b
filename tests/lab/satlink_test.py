# SPDX-License-Identifier: Apache-2.0
"""The emulated link itself: the Pipe with a clock of our own, then the live link between two namespaces."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.pipe import Noise, Pipe, Tally  # noqa: E402
from lab.satlink import SatLink, missing  # noqa: E402


def flush(pipe):
    """Everything in flight, as (time, packet)."""
    arrivals = []
    while (wake := pipe.next_wake()) is not None:
        arrivals += [(wake, packet) for packet in pipe.step(wake)]
        if not arrivals or arrivals[-1][0] != wake:
            raise AssertionError("step() at next_wake() brought nothing")
    return arrivals


class PipeTest(unittest.TestCase):
    def balances(self, pipe, now, flying=0):
        count = pipe.count(now)
        self.assertEqual(count.offered.bytes, count.sent.bytes + count.refused.bytes)
        self.assertEqual(count.sent.packets, count.arrived.packets + count.lost.packets + flying)
        return count

    def test_a_packet_takes_its_own_time_plus_the_delay(self):
        pipe = Pipe(rate=9600, delay=0.3)
        pipe.offer(10.0, bytes(120))  # 120 bytes at 9600 bit/s: 0.1 s
        self.assertAlmostEqual(pipe.next_wake(), 10.4)
        self.assertEqual(pipe.step(10.399), [])
        self.assertEqual(pipe.step(10.401), [bytes(120)])
        self.assertIsNone(pipe.next_wake())

    def test_packets_queue_behind_each_other_and_the_transmitter_idles_in_between(self):
        pipe = Pipe(rate=8000, delay=1.0)  # a byte a millisecond
        for now in (0.0, 0.0, 5.0):
            pipe.offer(now, bytes(1000))
        self.assertEqual([round(at, 6) for at, _ in flush(pipe)], [2.0, 3.0, 7.0])

    def test_the_buffer_drops_its_tail_and_drains_with_time(self):
        pipe = Pipe(rate=8000, buffer=2500)
        for _ in range(3):
            pipe.offer(0.0, bytes(1000))
        self.assertEqual(self.balances(pipe, 0.0, flying=2).refused, Tally(1, 1000))
        pipe.offer(0.5, bytes(1000))  # 500 bytes have left
        self.assertEqual(self.balances(pipe, 0.5, flying=3).refused, Tally(1, 1000))
        self.assertAlmostEqual(pipe.backlog(0.5), 2500)

    def test_jitter_stays_in_bounds_and_never_reorders(self):
        def arrivals(spacing):
            pipe = Pipe(rate=1e9, delay=0.3, jitter=0.2, seed=7)
            for n in range(500):
                pipe.offer(n * spacing, n.to_bytes(2, "big"))
            return [(at, int.from_bytes(packet, "big")) for at, packet in flush(pipe)]

        flights = [at - n for at, n in arrivals(spacing=1.0)]
        self.assertGreater(min(flights), 0.1 - 1e-6)
        self.assertLess(max(flights), 0.5 + 1e-6)
        self.assertGreater(max(flights) - min(flights), 0.35)
        self.assertEqual([n for _, n in arrivals(spacing=0.01)], list(range(500)))

    def test_loss_is_seeded_and_near_its_share(self):
        def lost(seed):
            pipe = Pipe(rate=1e9, loss=0.05, seed=seed)
            for n in range(20_000):
                pipe.offer(n * 1.0, b"x")
            flush(pipe)
            return self.balances(pipe, 20_001.0).lost.packets

        self.assertEqual(lost(1), lost(1))
        self.assertNotEqual(lost(1), lost(2))
        self.assertAlmostEqual(lost(1) / 20_000, 0.05, delta=0.01)

    def test_bursts_have_their_mean_length_and_the_same_share(self):
        noise = Noise(loss=0.05, burst=4, seed=3)
        fate = [noise.hits() for _ in range(100_000)]
        bursts = sum(1 for before, now in zip([False] + fate, fate) if now and not before)
        self.assertAlmostEqual(sum(fate) / len(fate), 0.05, delta=0.01)
        self.assertAlmostEqual(sum(fate) / bursts, 4, delta=0.4)

    def test_a_cut_loses_what_is_offered_and_what_would_arrive(self):
        pipe = Pipe(rate=8000, delay=1.0)
        pipe.offer(0.0, bytes(100))
        pipe.offer(0.0, bytes(2900))  # arrives at 4.0
        pipe.cut()
        pipe.offer(0.5, bytes(7))
        self.assertEqual(pipe.step(2.0), [])
        pipe.mend()
        self.assertEqual(pipe.step(4.0), [bytes(2900)])
        count = self.balances(pipe, 4.0)
        self.assertEqual((count.refused, count.lost, count.arrived), (Tally(1, 7), Tally(1, 100), Tally(1, 2900)))

    def test_busy_time_counts_what_has_been_sent_by_now(self):
        pipe = Pipe(rate=8000)
        start = pipe.count(0.0)
        pipe.offer(1.0, bytes(2000))  # busy from 1 to 3
        self.assertAlmostEqual((pipe.count(2.0) - start).busy, 1.0)
        self.assertAlmostEqual((pipe.count(4.0) - start).busy, 2.0)
        self.assertAlmostEqual((pipe.count(4.0) - pipe.count(2.5)).busy, 0.5)

    def test_impossible_links_are_refused(self):
        for wrong in ({"rate": 0}, {"rate": 1, "loss": 1}, {"rate": 1, "jitter": 0.1}, {"rate": 1, "burst": 0.5}):
            with self.assertRaises(ValueError, msg=wrong):
                Pipe(**wrong)


def echo_server(link):
    """A UDP echo at the internet's side; a datagram "end" ends it."""
    with link.inside("net"):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((link.net_ip, 7))

        def serve():
            while (packet := server.recvfrom(2000))[0] != b"end":
                server.sendto(*packet)
            server.close()

        threading.Thread(target=serve, daemon=True).start()


def client(link, timeout):
    with link.inside("site"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(timeout)
        sock.connect((link.net_ip, 7))
        return sock


HOLDER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits it ignored
sys.path.insert(0, sys.argv[1])
from lab.satlink import SatLink
with SatLink() as link:
    child = link.spawn("site", ["sleep", "1000"])
    print(child.pid, *link.namespaces.values(), flush=True)
    time.sleep(1000)
"""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@unittest.skipIf(missing(), missing())
class LiveTest(unittest.TestCase):
    def test_an_echo_takes_both_delays_and_both_serialisations(self):
        with SatLink(rate=64_000, delay=0.1) as link:
            echo_server(link)
            sock = client(link, timeout=10)
            begin = time.monotonic()
            sock.send(bytes(772))  # 800 bytes of IP: 0.1 s at 64 kbit/s
            self.assertEqual(sock.recv(2000), bytes(772))
            took = time.monotonic() - begin
            # Never faster than the physics; the upper bound only says that it is the emulator's doing.
            self.assertGreaterEqual(took, 0.4)
            self.assertLess(took, 5)
            count = link.count()
            self.assertEqual((count.up.sent, count.down.arrived), (Tally(1, 800), Tally(1, 800)))
            self.assertEqual((count.wire, count.seen_by_site), (1600, 1600))
            sock.send(b"end")
            sock.close()

    def test_cut_and_mend_on_two_links_at_once(self):
        with SatLink(rate=1e6, delay=0.01) as one, SatLink(rate=1e6, delay=0.01) as two:
            for link in (one, two):
                echo_server(link)
            one.cut()
            quick, sock = client(one, timeout=0.3), client(two, timeout=10)
            for each in (quick, sock):
                each.send(b"hello")
            self.assertEqual(sock.recv(99), b"hello")
            with self.assertRaises(TimeoutError):
                quick.recv(99)
            self.assertEqual(one.count().up.refused.packets, 1)
            one.mend()
            quick.settimeout(10)
            quick.send(b"again")
            self.assertEqual(quick.recv(99), b"again")
            for each in (quick, sock):
                each.send(b"end")
                each.close()

    def test_an_idle_link_carries_nothing(self):
        with SatLink(rate=1e6, delay=0.01) as link:
            link.wait_quiet(1.0, timeout=5)
            self.assertEqual(link.count().wire, 0)

    def test_leaving_ends_processes_and_their_children(self):
        with SatLink() as link:
            shell = link.spawn("net", ["sh", "-c", "setsid sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE)
            grandchild = int(shell.stdout.readline())
            self.assertTrue(alive(grandchild))
            names = set(link.namespaces.values())
            shell.stdout.close()
        self.assertFalse(alive(shell.pid))
        self.assertFalse(alive(grandchild))
        self.assertFalse(names & set(os.listdir("/run/netns")))

    def test_a_spawned_command_runs_when_spawn_returns(self):
        with SatLink() as link:
            for _ in range(20):
                sleep = link.spawn("site", ["sleep", "1000"])
                self.assertEqual(os.path.basename(os.readlink(f"/proc/{sleep.pid}/exe")), "sleep")

    def end_a_holder_with(self, sig):
        tests = pathlib.Path(__file__).resolve().parents[1]
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, tests], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        child, *names = holder.stdout.readline().split()
        holder.send_signal(sig)
        holder.wait(20)
        holder.stdout.close()
        for _ in range(100):  # the kernel delivers pdeathsig when it gets to it
            if not alive(child):
                break
            time.sleep(0.05)
        self.assertFalse(alive(child))
        return set(names)

    def test_sigterm_and_ctrl_c_leave_nothing(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            names = self.end_a_holder_with(sig)
            self.assertEqual(len(names), 2)
            self.assertFalse(names & set(os.listdir("/run/netns")), sig)

    def test_after_sigkill_the_next_link_sweeps(self):
        names = self.end_a_holder_with(signal.SIGKILL)
        with SatLink():
            self.assertFalse(names & set(os.listdir("/run/netns")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
