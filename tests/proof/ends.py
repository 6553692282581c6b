# SPDX-License-Identifier: Apache-2.0
"""What the soak is at its outside: publishers and subscribers at both sides, and when nothing waits between them."""
from . import clients, traffic
from .referee import Sent


class Ends:
    """Publishers and subscribers at both sides."""

    def __init__(self, world):
        self._world, self.messages = world, {way: {} for way in (traffic.UP, traffic.DOWN)}
        sides = {traffic.UP: ("site", "net"), traffic.DOWN: ("net", "site")}
        self.publishers = {way: clients.Publisher(world.link, near) for way, (near, _) in sides.items()}
        self.subscribers = {way: clients.Subscriber(world.link, far, traffic.FILTERS[way])
                            for way, (_, far) in sides.items()}

    def close(self):
        for client in (*self.publishers.values(), *self.subscribers.values()):
            client.close()

    def play(self, messages):
        """All of one way."""
        way = messages[0].way
        self.messages[way].update({message.topic: message for message in messages})
        self.publishers[way].play(messages)

    def subscribed(self):
        return all(subscriber.ready.is_set() for subscriber in self.subscribers.values())

    def arrived(self):
        return {topic for subscriber in self.subscribers.values() for topic, *_ in list(subscriber.arrivals)}

    def drained(self):
        """Whether nothing waits: at the publishers, and in the books of both stores, both ways."""
        if not all(publisher.idle() for publisher in self.publishers.values()):
            return False
        try:
            status = [self._world.gateway.status(), self._world.relay.status()]
        except (OSError, RuntimeError, ValueError):
            return False
        return not any(one[book]["queued"] for one in status for book in ("ledger", "back"))

    def sent(self, way, without):
        publisher = self.publishers[way]
        messages = self.messages[way]
        return {topic: Sent(traffic.digest(messages[topic].payload), handed, publisher.acknowledged.get(topic),
                            messages[topic].qos)
                for topic, handed in publisher.handed.items() if topic not in without}
