#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The peer: mosquitto's own bridge (TLS 1.3, both sides with certificates, QoS 1) on the same emulated link.

usage: bridge.py [--count 300] [--pace 10] [--rate 512000] [--delay 0.02] [--loss 0] [--idle 0]
Prints one JSON line: bytes on the wire to open the link, per message, and per idle hour.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import mesh, mqtt, satlink  # noqa: E402

TLS_PORT = 8883


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


def measure(folder, messages, pace, rate, delay, loss=0.0, idle=0.0, seed=1):
    """The bridge's figures for these messages, as a dictionary."""
    with satlink.SatLink(rate=rate, delay=delay, loss=loss, seed=seed) as link:
        start(link, folder)
        opened = link.count()
        with mqtt.Collector(link, "net") as sink, mqtt.Publisher(link, "site") as publisher:
            publisher.send_paced(messages, pace)
            sink.wait_for(messages, timeout=100)
            link.wait_quiet(1, timeout=30)
        drained = link.count()
        carried, delivered = drained - opened, len({arrival.key for arrival in sink.arrivals})
        figures = {"opening": opened.wire, "delivered": delivered,
                   "up_per_message": round(carried.up.sent.bytes / max(1, delivered), 1),
                   "down_per_message": round(carried.down.sent.bytes / max(1, delivered), 1),
                   "per_message": round(carried.wire / max(1, delivered), 1)}
        if idle:
            time.sleep(idle)
            figures["idle_per_hour"] = round((link.count() - drained).wire * 3600 / idle)
        return figures


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
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(folder, messages, args.pace, args.rate, args.delay, args.loss, args.idle)
    print(json.dumps({"peer": "mosquitto bridge, TLS 1.3, QoS 1", "traffic": source, **figures}))


if __name__ == "__main__":
    main()
