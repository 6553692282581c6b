# SPDX-License-Identifier: Apache-2.0
"""One direction of an emulated satellite link, as a pure model: it takes `now` and packets, and owns no clock.

A packet first meets the modem's buffer (`buffer` bytes, tail drop), leaves it at `rate` one after the other, flies for
`delay` seconds plus or minus `jitter`, and may be lost on the way; packets never overtake each other. While the link
is cut, what is offered and what would arrive is gone.

Two balances hold at any time, in packets and in bytes:
    offered = sent + refused                 refused: the buffer was full, or the link was cut; never on the air
    sent    = arrived + lost + in flight     lost: to noise, or to a cut while in flight

Units: seconds (any monotonic origin), bits a second, bytes of IP packets. Not thread-safe.
"""
import random
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    packets: int = 0
    bytes: int = 0

    def add(self, size):
        return Tally(self.packets + 1, self.bytes + size)

    def __sub__(self, other):
        return Tally(self.packets - other.packets, self.bytes - other.bytes)


@dataclass(frozen=True)
class Count:
    """What one direction has carried; the difference of two is what it carried in between."""

    offered: Tally = Tally()
    sent: Tally = Tally()
    refused: Tally = Tally()
    arrived: Tally = Tally()
    lost: Tally = Tally()
    busy: float = 0.0  # seconds of transmission so far

    def __sub__(self, other):
        return Count(*(getattr(self, f) - getattr(other, f) for f in self.__dataclass_fields__))


class Noise:
    """Random loss of a given long-run share.

    `burst` is the mean number of packets lost in a row: 1 loses each packet independently; above 1 a two-state
    (Gilbert) channel, which loses everything while it is bad.
    """

    def __init__(self, loss, burst, seed):
        if not 0 <= loss < 1 or burst < 1:
            raise ValueError(f"loss {loss} is not in 0..1, or burst {burst} is below 1")
        self._random = random.Random(seed)
        self._loss = loss
        self._independent = burst == 1
        self._leave_bad = 1 / burst
        # In the long run the bad state must hold the share `loss` of all packets.
        self._enter_bad = min(1.0, loss * self._leave_bad / (1 - loss))
        self._bad = False

    def hits(self):
        if not self._loss:
            return False
        if self._independent:
            return self._random.random() < self._loss
        change = self._leave_bad if self._bad else self._enter_bad
        if self._random.random() < change:
            self._bad = not self._bad
        return self._bad


class Pipe:
    def __init__(self, rate, delay=0.0, jitter=0.0, loss=0.0, burst=1, buffer=64_000, seed=1):
        if rate <= 0 or delay < 0 or jitter < 0 or jitter > delay:
            raise ValueError(f"rate {rate} must be positive, and jitter {jitter} in 0..delay {delay}")
        self.rate, self.delay, self.jitter, self.buffer = rate, delay, jitter, buffer
        self._noise = Noise(loss, burst, seed)
        self._random = random.Random(seed + 0x5EED)
        self._free_at = float("-inf")  # when the transmitter has sent all that it holds
        self._last_arrival = float("-inf")
        self._flying = deque()  # (arrival, packet), in order of arrival
        self._cut = False
        self._air_time = 0.0  # seconds of transmission given to packets so far
        self._offered = self._sent = self._refused = self._arrived = self._lost = Tally()

    def backlog(self, now):
        """Bytes in the modem's buffer."""
        return max(0.0, self._free_at - now) * self.rate / 8

    def offer(self, now, packet):
        """A host hands over a packet (any sized object)."""
        size = len(packet)
        self._offered = self._offered.add(size)
        if self._cut or self.backlog(now) + size > self.buffer:
            self._refused = self._refused.add(size)
            return
        seconds = size * 8 / self.rate
        self._free_at = max(now, self._free_at) + seconds
        self._air_time += seconds
        self._sent = self._sent.add(size)
        if self._noise.hits():
            self._lost = self._lost.add(size)
            return
        flight = self.delay + (self._random.uniform(-self.jitter, self.jitter) if self.jitter else 0.0)
        self._last_arrival = max(self._last_arrival, self._free_at + flight)
        self._flying.append((self._last_arrival, packet))

    def next_wake(self):
        """When the next packet arrives; None: nothing is in flight."""
        return self._flying[0][0] if self._flying else None

    def step(self, now):
        """The packets that have arrived by now, in order."""
        arrived = []
        while self._flying and self._flying[0][0] <= now:
            packet = self._flying.popleft()[1]
            if self._cut:
                self._lost = self._lost.add(len(packet))
            else:
                self._arrived = self._arrived.add(len(packet))
                arrived.append(packet)
        return arrived

    def cut(self):
        self._cut = True

    def mend(self):
        self._cut = False

    def count(self, now):
        # The transmitter never pauses while it holds something, so all of the time up to `_free_at` lies ahead.
        busy = self._air_time - max(0.0, self._free_at - now)
        return Count(self._offered, self._sent, self._refused, self._arrived, self._lost, busy)
