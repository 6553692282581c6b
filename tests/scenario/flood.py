#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One node publishes 10,000 messages a second, then one invents 20,000 names, then files of a megabyte fill the link;
topics of 65,535 bytes, bytes that are no text; at the page nobody reads, at the sink the broker hardly does.

Memory stays bounded, every other node's messages arrive, and an SOS of a quiet node takes at most twice as long as on
the idle link before. Only where files fill the link it may take longer: a frame on the wire and one behind it.
"""
import contextlib
import http.client
import pathlib
import random
import signal
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, scenario  # noqa: E402

LARGEST = 1 << 20  # config::kMaxPayload
WEB_PORT = 8480  # the gateway's default


def arguments(parser):
    parser.add_argument("--flood", type=int, default=10_000, help="messages a second of the noisy node")
    parser.add_argument("--seconds", type=float, default=6, help="of the flood")
    parser.add_argument("--probes", type=int, default=7, help="SOS before, and as many amid the flood")
    parser.add_argument("--rate", type=int, default=64_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds one way")
    parser.add_argument("--nodes", type=int, default=5, help="that publish as always, one message a second each")
    parser.add_argument("--invented", type=int, default=20_000, help="messages after that, each of another node")
    parser.add_argument("--megabytes", type=int, default=8, help="payloads of a megabyte at once")
    parser.add_argument("--deaf", type=int, default=8, help="WebSockets that never read")
    parser.add_argument("--memory", type=float, default=96,
                        help="limit of what either had resident at the most, MB; of a release build")
    parser.add_argument("--times", type=float, default=2, help="limit of the SOS's median, in medians on the idle link")
    parser.add_argument("--full-link", type=float, default=3, help="the same where files fill the link")


def sos(n):
    return mesh.Message(f"mesh/quiet-{n}/sos", f"SOS {n}: two injured at the upper bridge".encode())


def tell_sos(nodes, numbers, pause):
    """Publishes them, and an ordinary message of each node before: a node that nothing was heard of is a stranger."""
    for n in numbers:
        nodes.send(mesh.Message(f"mesh/quiet-{n}/here", b"here"))
    time.sleep(3)
    sendings = []
    for n in numbers:
        sendings.append(nodes.send(sos(n)))
        time.sleep(pause())
    return sendings


def waits(sendings, arrivals):
    first = {}
    for arrival in arrivals:
        first.setdefault(arrival.key, arrival.at)
    return [first[key] - s.at for s in sendings if (key := (s.message.topic, s.message.payload)) in first]


def flood_packets(count, topic=b"mesh/noisy/t"):
    """`topic` may hold a %d, for the message's number."""
    from lab.hostile import publish

    return [publish(topic % n if b"%" in topic else topic, b'{"n":%d,"all":"the same as ever"}' % n, n % 65_535 + 1)
            for n in range(count)]


def strange_packets(chance):
    """(what, packet, whether a broker takes it)."""
    from lab.hostile import publish

    return [("a megabyte", publish(b"mesh/camera/file", chance.randbytes(1_000_000), 1), True),
            ("a mebibyte of nothing", publish(b"mesh/camera/file", bytes(LARGEST), 2), True),
            ("more than is allowed", publish(b"mesh/camera/file", bytes(LARGEST + 1), 3), True),
            ("the longest topic", publish(b"mesh/long/" + b"x" * 65_525, b"long", 4), True),
            ("a topic of 200 levels", publish(b"mesh/deep/" + b"/" * 197 + b"x" * 65_000, b"deep", 5), True),
            ("a payload that is no text", publish(b"mesh/blob/t", b"\xff\xc0\x80\xed\xa0\x80\x00", 6), True),
            ("an envelope that is none", publish(b"msh/2/e/LongFast/!7efeee00", b"\x0a\xff\xff\xff\x7f", 7), True),
            ("a topic that is no UTF-8", publish(b"mesh/\xff\xfe/t", b"x", 8), False),
            ("a surrogate in a topic", publish(b"mesh/\xed\xa0\x80/t", b"x", 9), False),
            ("a NUL in a topic", publish(b"mesh/a\x00b/t", b"x", 10), False),
            ("a wildcard in a topic", publish(b"mesh/+/sos", b"x", 11), False),
            ("an empty topic", publish(b"", b"x", 12), False),
            ("a topic of 32,000 levels", publish(b"mesh/deep" + b"/" * 32_000, b"x", 13), False)]


def send_strange(link, report, chance):
    """Each from a client of its own; returns how many the broker took."""
    from lab.hostile import RawMqtt

    taken = refused = 0
    for n, (what, packet, good) in enumerate(strange_packets(chance)):
        with RawMqtt(link, "site", f"strange-{n}") as client:
            client.send(packet)
            closed = client.closed_within(0.3)
        if closed == good:
            report.failures.append(f"the broker {'closed on' if closed else 'took'} {what}")
        taken, refused = taken + (not closed), refused + closed
    report.figure("strange_taken", taken)
    report.figure("strange_refused", refused)
    return taken


@contextlib.contextmanager
def slow_broker(process, running=0.02, stopped=0.48):
    """The broker works 4 % of the time."""
    done = threading.Event()

    def throttle():
        while not done.is_set():
            process.send_signal(signal.SIGSTOP)
            done.wait(stopped)
            process.send_signal(signal.SIGCONT)
            time.sleep(running)

    thread = threading.Thread(target=throttle)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Others:
    """Nodes that publish as always, for as long as the context lasts."""

    def __init__(self, publisher, nodes):
        self._publisher, self._nodes = publisher, nodes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.messages = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(1):
            for node in range(self._nodes):
                message = mesh.Message(f"mesh/calm-{node}/t", f"all well {len(self.messages)}".encode())
                self.messages.append(message)
                self._publisher.send(message)


class Probes:
    """SOS of quiet nodes, each series of other nodes: a node has three at once."""

    def __init__(self, args, report, nodes, rescue):
        self._args, self._report, self._nodes, self._rescue = args, report, nodes, rescue
        self._chance = random.Random(args.seed)
        self._told = 0
        self.published = 0
        self.idle = None  # the first series' median

    def measure(self, name, times=None):
        """Sends a series over --seconds; its median is at most `times` the first one's."""
        numbers = range(self._told, self._told + self._args.probes)
        self._told = numbers.stop
        sendings = tell_sos(self._nodes, numbers, self._pause)
        self.published += 2 * len(numbers)
        self._report.figure(f"sos_{name}_arrived",
                            self._rescue.wait_for([s.message for s in sendings], 60), equals=True)
        taken = waits(sendings, self._rescue.arrivals)
        if not taken:
            return
        median = statistics.median(taken)
        self._report.figure(f"sos_{name}_s", median, at_most=times and times * self.idle)
        self._report.figure(f"sos_{name}_worst_s", max(taken))
        self.idle = self.idle or median

    def _pause(self):
        return self._args.seconds / self._args.probes * self._chance.uniform(0.5, 1.0)


@contextlib.contextmanager
def flooding(link, report, name, packets, rate):
    from lab.hostile import RawMqtt

    took = []
    with RawMqtt(link, "site", name) as noisy:
        thread = threading.Thread(target=lambda: took.append(noisy.flood(packets, rate)))
        thread.start()
        yield
        thread.join()
    if not took:
        raise RuntimeError(f"the broker did not take the flood of {name}")
    report.figure(f"{name}_per_s", len(packets) / took[0], at_least=0.9 * rate)


def page_answers(link, token):
    """Whether somebody who is signed in gets an answer on the port that others fill."""
    with link.inside("site"):
        page = http.client.HTTPConnection("127.0.0.1", WEB_PORT, timeout=10)
        page.request("GET", "/api/v1/status", headers={"Authorization": f"Bearer {token}"})
    answer = page.getresponse()
    answer.read()
    page.close()
    return answer.status == 200


def run(args, folder, report):
    from lab.hostile import DeafClients, most_resident_mb, publish
    from lab.mqtt import Collector, Publisher
    from lab.satlink import SatLink
    from lab.tulpar import Bench, balanced, held, until

    chance = random.Random(args.seed)
    one = flood_packets(int(args.flood * args.seconds))
    many = flood_packets(args.invented, b"mesh/invented-%d/x")
    with contextlib.ExitStack() as stack:
        link = stack.enter_context(SatLink(rate=args.rate, delay=args.delay, seed=args.seed))
        bench = Bench(link, folder, args.binary, classes=held("600ms"), rate=args.rate,
                      rules=[{"topic": "mesh/+/file", "class": "bulk"}])
        bench.start_relay()
        bench.start_gateway()
        token = (bench.gateway.state / "web" / "token").read_text().strip()
        rescue, sink = (stack.enter_context(Collector(link, "net", topic)) for topic in ("mesh/+/sos", "mesh/+/t"))
        nodes = stack.enter_context(Publisher(link, "site"))
        stack.enter_context(DeafClients(link, "site", WEB_PORT, token, feeds=args.deaf, idle=200))
        probes = Probes(args, report, nodes, rescue)
        calm = []

        def expect_calm(others, name):
            calm.extend(others.messages)
            report.figure(f"others_{name}_arrived", sink.wait_for(others.messages, 120), equals=True)

        probes.measure("idle")
        with Others(nodes, args.nodes) as others, flooding(link, report, "one", one, args.flood):
            probes.measure("flood", args.times)
        expect_calm(others, "flood")
        with Others(nodes, args.nodes) as others, flooding(link, report, "many", many, args.flood):
            probes.measure("many", args.times)
        expect_calm(others, "many")
        taken = send_strange(link, report, chance)
        files = [publish(b"mesh/camera/file", chance.randbytes(1_000_000), n + 1) for n in range(args.megabytes)]
        with Others(nodes, args.nodes) as others, flooding(link, report, "megabytes", files, len(files)):
            probes.measure("megabytes", args.full_link)
        expect_calm(others, "megabytes")
        with Others(nodes, args.nodes) as others, slow_broker(bench.sink_broker):
            time.sleep(args.seconds)
            report.figure("slow_sink_held", bench.relay.ledger()["queued"])
        expect_calm(others, "slow_sink")

        report.figure("page_answers", page_answers(link, token), equals=True)
        expected = len(one) + len(many) + len(files) + len(calm) + probes.published + taken
        until(lambda: bench.gateway.ledger()["accepted"] >= expected, 60)
        ledgers = bench.gateway.ledger(), bench.relay.ledger()
        report.figure("accepted", ledgers[0]["accepted"], equals=expected)
        report.figure("balanced", all(map(balanced, ledgers)), equals=True)
        report.figure("gateway_mb", most_resident_mb(bench.gateway.pid), at_most=args.memory)
        report.figure("relay_mb", most_resident_mb(bench.relay.pid), at_most=args.memory)


if __name__ == "__main__":
    scenario.main(__doc__, arguments, run)
