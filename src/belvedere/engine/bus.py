"""Tells everyone the newest of everything: a slow listener misses what is old, and never holds anybody up."""

from __future__ import annotations

import asyncio


class Subscription:
    """The newest value of each topic that was published since it was last read.

    Iterate over it (`async for topic, value in subscription`) until `close`. Its memory is one value a topic.
    """

    def __init__(self, bus: Bus, prefixes: tuple[str, ...]) -> None:
        self._bus = bus
        self._topics = prefixes
        self._above = tuple(f"{prefix}:" for prefix in prefixes)
        self._waiting: dict[str, object] = {}
        self._wake = asyncio.Event()
        self._is_closed = False

    def wants(self, topic: str) -> bool:
        """Whether this topic is one of its own: equal to a prefix, or below it (`ack:abc` has `ack:abc:pan` below)."""
        return topic in self._topics or topic.startswith(self._above)

    def receive(self, topic: str, value: object) -> None:
        """Replace what waits under this topic."""
        self._waiting[topic] = value
        self._wake.set()

    def close(self) -> None:
        """End it: iteration stops, and nothing is kept any more."""
        self._is_closed = True
        self._bus.forget(self)
        self._wake.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> tuple[str, object]:
        while not self._is_closed:
            if self._waiting:
                topic = next(iter(self._waiting))
                return topic, self._waiting.pop(topic)
            self._wake.clear()
            await self._wake.wait()
        raise StopAsyncIteration


class Bus:
    """Topics with one value each; words with a colon between them, from the general to the particular."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def publish(self, topic: str, value: object) -> None:
        """Hand the newest value to everyone who listens; nobody listening costs nothing."""
        for subscription in self._subscriptions:
            if subscription.wants(topic):
                subscription.receive(topic, value)

    def subscribe(self, *prefixes: str) -> Subscription:
        """Listen to these topics and whatever is below them, from now on."""
        subscription = Subscription(self, prefixes)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Stop handing anything to this listener; forgetting twice is nothing."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
