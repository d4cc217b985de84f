"""Reads a subscription to the bus without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from belvedere.engine.bus import Subscription


def drain(subscription: Subscription) -> list[tuple[str, object]]:
    """Topic and value of everything that iterating over it would give now; nothing waits afterwards."""
    values: list[tuple[str, object]] = []
    while True:
        reading = subscription.__anext__()
        try:
            reading.send(None)
        except StopIteration as read:
            values.append(read.value)
        except StopAsyncIteration:
            return values
        else:
            reading.close()  # it would wait for the next
            return values
