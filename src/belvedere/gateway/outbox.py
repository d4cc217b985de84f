"""What waits to be sent to one socket: the newest message of each kind, so that a slow peer costs a bounded memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import UNSET

from belvedere.gateway.messages import Ack, Error, Notice, Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outbox:
    """Messages in the order in which their kinds began to wait; a newer one takes the place of its elder."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], Outgoing] = {}
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, messages: Iterable[Outgoing]) -> None:
        """Let these wait."""
        for message in messages:
            self._waiting[_kind(message)] = message
        if self._waiting:
            self._wake.set()

    def take_all(self) -> list[Outgoing]:
        """Everything that waits; nothing waits afterwards."""
        messages = list(self._waiting.values())
        self._waiting.clear()
        self._wake.clear()
        return messages

    async def take(self) -> Outgoing:
        """The message that has waited longest, as soon as there is one."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))


def _kind(message: Outgoing) -> tuple[str, ...]:
    match message:
        case Ack(axis=axis):
            return ("ack", axis)
        case Notice(code=code, axis=axis):
            return ("notice", code, axis)
        case Error(code=code, hold=hold):
            return ("error", code, "" if hold is UNSET else "hold")  # holds rise: the newest is the one that counts
        case _:
            return (type(message).__name__,)
