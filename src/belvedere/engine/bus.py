"""Publish and subscribe with one value a topic: a slow subscriber misses old values, and never delays the publisher."""

from __future__ import annotations

import asyncio


class Subscription:
    """The newest value of each topic that was published since it was last read.

    Iterate over it (`async for topic, value in subscription`); iteration ends after `close`. It never holds more than
    one value a topic, however slowly it is read.
    """

    def __init__(self, bus: Bus, prefixes: tuple[str, ...]) -> None:
        self._bus = bus
        self._topics = prefixes
        self._prefixes = tuple(f"{prefix}:" for prefix in prefixes)
        self._unread: dict[str, object] = {}
        self._wake = asyncio.Event()
        self._is_closed = False

    def wants(self, topic: str) -> bool:
        """Whether it subscribes to this topic: equal to a prefix, or below it (`ack:abc:pan` is below `ack:abc`)."""
        return topic in self._topics or topic.startswith(self._prefixes)

    def receive(self, topic: str, value: object) -> None:
        """Store the newest value of this topic, replacing one that was not read yet."""
        self._unread[topic] = value
        self._wake.set()

    def close(self) -> None:
        """Unsubscribe: iteration ends, and nothing more is received. May be called twice."""
        self._is_closed = True
        self._bus.forget(self)
        self._wake.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> tuple[str, object]:
        while not self._is_closed:
            if self._unread:
                topic = next(iter(self._unread))
                return topic, self._unread.pop(topic)
            self._wake.clear()
            await self._wake.wait()
        raise StopAsyncIteration


class Bus:
    """The topics; a topic's name is words separated by colons, from the general to the particular."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def publish(self, topic: str, value: object) -> None:
        """Give the value to every subscription that wants this topic; never blocks."""
        for subscription in self._subscriptions:
            if subscription.wants(topic):
                subscription.receive(topic, value)

    def subscribe(self, *prefixes: str) -> Subscription:
        """Subscribe to these topics and all below them; values published before are not received."""
        subscription = Subscription(self, prefixes)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Remove this subscription; does nothing if it was removed before."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
