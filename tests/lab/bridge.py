#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The peer: mosquitto's own bridge (TLS 1.3, both sides with certificates, QoS 1) on the same emulated link.

usage: bridge.py [--count 300] [--pace 10] [--rate 512000] [--delay 0.02] [--loss 0] [--idle 0]
Prints one JSON line: bytes on the wire to open the link, per message, and per idle hour.
"""
import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, mqtt, satlink  # noqa: E402

TLS_PORT = 8883
QUIET = 10  # seconds between what are two bursts


def make_certificates(folder):
    """A CA, and one certificate for each end: P-256, common name only, the smallest that openssl makes."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "server", "client"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=ca", "-days", "9", "-out", "ca.crt")
    for name in ("server", "client"):
        openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "9", "-out", f"{name}.crt")


def start(link, folder, keepalive=60):
    """Both brokers, bridged from site to net; returns once the link is quiet."""
    make_certificates(folder)
    mqtt.broker(link, "net", folder, "net-bridge", [
        f"listener {TLS_PORT}", f"cafile {folder}/ca.crt", f"certfile {folder}/server.crt",
        f"keyfile {folder}/server.key", "require_certificate true"])
    mqtt.broker(link, "site", folder, "site-bridge", [
        "connection up", f"address {link.net_ip}:{TLS_PORT}", f"bridge_cafile {folder}/ca.crt",
        f"bridge_certfile {folder}/client.crt", f"bridge_keyfile {folder}/client.key", "bridge_insecure true",
        "topic # out 1", "bridge_attempt_unsubscribe false", "notifications false", "cleansession false",
        f"keepalive_interval {keepalive}"])
    link.wait_quiet(3, timeout=60)


@contextlib.contextmanager
def opened(folder, rate, delay, loss=0.0, seed=1):
    """The bridge on a link of its own, connected and quiet; gives the link."""
    with satlink.SatLink(rate=rate, delay=delay, loss=loss, seed=seed) as link:
        start(link, folder)
        yield link


def carry(link, messages, pace):
    """Publishes at the site; returns how many of the messages arrived at the net, once all is quiet."""
    with mqtt.Collector(link, "net") as sink, mqtt.Publisher(link, "site") as publisher:
        publisher.send_paced(messages, pace)
        sink.wait_for(messages, timeout=100)
        link.wait_quiet(1, timeout=30)
    return len({arrival.key for arrival in sink.arrivals})


def per_message(carried, delivered):
    """Bytes on the wire for each message, as figures; `carried` is the LinkCount of all."""
    return {"up_per_message": carried.up.sent.bytes / max(1, delivered),
            "down_per_message": carried.down.sent.bytes / max(1, delivered),
            "per_message": carried.wire / max(1, delivered)}


def per_hour(seconds, *links):
    """Bytes on the wire of each idle link in an hour, from what it does in these seconds."""
    samples, ends = [[] for _ in links], time.monotonic() + seconds
    while (now := time.monotonic()) < ends:
        for link, own in zip(links, samples):
            own.append((now, link.count().wire))
        time.sleep(min(0.5, ends - now))
    return [hourly(own) for own in samples]


def hourly(samples):
    """The same from pairs of time and bytes so far. An idle link speaks now and then (keepalives): counted are whole
    periods, from the first burst to the last, without the first one's bytes; with fewer than two, what there was."""
    bursts = []  # when it began, when last seen, bytes at its end
    for (_, before), (now, count) in zip(samples, samples[1:]):
        if count == before:
            continue
        if bursts and now - bursts[-1][1] < QUIET:
            bursts[-1][1:] = now, count
        else:
            bursts.append([now, now, count])
    if len(bursts) < 2:
        return (samples[-1][1] - samples[0][1]) * 3600 / (samples[-1][0] - samples[0][0])
    (first, _, then), (last, _, now) = bursts[0], bursts[-1]
    return (now - then) * 3600 / (last - first)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--pace", type=float, default=10, help="messages a second")
    parser.add_argument("--rate", type=int, default=512_000, help="bits a second")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds one way")
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--idle", type=float, default=0.0, help="seconds to watch the idle link")
    parser.add_argument("--encrypted", action="store_true")
    args = parser.parse_args()
    messages, source = mesh.traffic(args.count, encrypted=args.encrypted)
    with tempfile.TemporaryDirectory() as folder, opened(folder, args.rate, args.delay, args.loss) as link:
        before = link.count()
        delivered = carry(link, messages, args.pace)
        figures = {"opening": before.wire, "delivered": delivered, **per_message(link.count() - before, delivered)}
        if args.idle:
            figures["idle_per_hour"], = per_hour(args.idle, link)
    print(json.dumps({"peer": "mosquitto bridge, TLS 1.3, QoS 1", "traffic": source,
                      **{name: round(value, 1) for name, value in figures.items()}}))


if __name__ == "__main__":
    main()
