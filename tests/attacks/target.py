"""What an attack gets: the server, sessions, and counters."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from tests.attacks.client import Session

    Attack = Callable[["Target"], Coroutine[object, object, None]]

TURN_S = 0.01


class Target:
    """The server, the sessions that the attacker has, and what was done.

    Attributes:
        sessions: sessions that the attacker may use; an attack by an anonymous client uses only their address.
        page: another one, of the page of another site, which the settings list, with its newest bearer.
        did: what was done, each with how often.
        has_begun: set once the attack runs.
    """

    def __init__(self, sessions: list[Session], page: Session) -> None:
        self.sessions = sessions
        self.page = page
        self.did: Counter[str] = Counter()
        self.has_begun = asyncio.Event()

    def did_one(self, what: str, number: int = 1) -> None:
        """Count something that was done; marks the attack as running."""
        self.did[what] += number
        self.has_begun.set()

    async def at_rate(self, per_s: float, do: Callable[[], Awaitable[object]]) -> None:
        """Do something at this rate, or as fast as possible where that is slower, without end."""
        began, done = time.monotonic(), 0
        while True:
            due = (time.monotonic() - began) * per_s
            if due - done > per_s:  # a second behind: skip what was missed
                began, done = time.monotonic(), 0
            while done < due:
                await do()
                done += 1
            await asyncio.sleep(TURN_S)
