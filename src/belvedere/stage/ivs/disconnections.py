"""Puts participants out of the stage at Amazon IVS, again and again until AWS confirms it, and says when it is urgent.

Whoever has left, or was made to, might still see. So the camera must not be published where

- somebody who may not look has not been put out yet: from the first moment on;
- somebody who may look has left, and AWS has not answered for GRACE_S: nobody watches without being counted.

AWS may say that it knows no such participant: then nobody is connected with that token, but as long as it is valid
somebody may. So this is asked again until then, and the same holds as before for those who may not look.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from belvedere.errors import IvsError, IvsReason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

GRACE_S: Final = 10.0
FIRST_RETRY_S: Final = 1.0  # doubled by each further failure
MAX_RETRY_S: Final = 30.0
ABSENT_RETRY_S: Final = 5.0
CLOCK_LEEWAY_S: Final = 60.0  # for which AWS's clock may accept a token after ours has ended it


@dataclass(eq=False)
class _Leaver:
    """Somebody to be put out."""

    participant: str
    join_by_utc_s: float
    may_look: Callable[[], bool]
    began_at: float
    done: asyncio.Event
    is_absent: bool = False
    failures: int = 0
    task: asyncio.Task[None] | None = None


class Disconnections:
    """All participants that are being put out. It belongs to the event loop; nothing here blocks.

    Args:
        disconnect: puts out a participant once; raises IvsError.
        on_change: called when `is_urgent` may have changed.
        forget: called with a participant that is out for good.
        clock: seconds, monotonic.
        utc: seconds since 1970.
    """

    def __init__(
        self,
        disconnect: Callable[[str], Awaitable[None]],
        *,
        on_change: Callable[[], None],
        forget: Callable[[str], None],
        clock: Callable[[], float],
        utc: Callable[[], float],
    ) -> None:
        self._disconnect = disconnect
        self._on_change = on_change
        self._forget = forget
        self._clock = clock
        self._utc = utc
        self._leavers: dict[str, _Leaver] = {}

    def __len__(self) -> int:
        return len(self._leavers)

    @property
    def is_urgent(self) -> bool:
        """Whether somebody might see who must not, or has left and is not confirmed to be out for too long."""
        return any(map(self._is_urgent, self._leavers.values()))

    def begin(self, participant: str, join_by_utc_s: float, may_look: Callable[[], bool]) -> asyncio.Event:
        """Put a participant out; returns what is set once that is confirmed. A second call returns the same.

        `may_look` says whether whoever has the token may look, each time that it is asked.
        """
        known = self._leavers.get(participant)
        if known is not None:
            return known.done
        leaver = _Leaver(participant, join_by_utc_s, may_look, self._clock(), asyncio.Event())
        self._leavers[participant] = leaver
        loop = asyncio.get_running_loop()
        leaver.task = loop.create_task(self._put_out(leaver), name="put out a participant")
        loop.call_later(GRACE_S, self._on_change)
        self._on_change()
        return leaver.done

    async def close(self) -> None:
        """Give up: the program ends."""
        tasks = [leaver.task for leaver in self._leavers.values() if leaver.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _is_urgent(self, leaver: _Leaver) -> bool:
        if not leaver.may_look():
            return True
        return not leaver.is_absent and self._clock() - leaver.began_at >= GRACE_S

    async def _put_out(self, leaver: _Leaver) -> None:
        while not await self._is_out(leaver):
            self._on_change()
            retry_s = min(MAX_RETRY_S, FIRST_RETRY_S * 2 ** min(leaver.failures - 1, 16))
            await asyncio.sleep(ABSENT_RETRY_S if leaver.is_absent else retry_s)
        if leaver.failures:
            logger.info("participant %s is out of the stage at Amazon IVS after all", leaver.participant)
        del self._leavers[leaver.participant]
        leaver.done.set()
        self._forget(leaver.participant)
        self._on_change()

    async def _is_out(self, leaver: _Leaver) -> bool:
        """Try once; returns whether the participant is out for good."""
        try:
            await self._disconnect(leaver.participant)
        except IvsError as error:
            leaver.is_absent = error.reason is IvsReason.NOT_FOUND
            if leaver.is_absent:
                return self._utc() >= leaver.join_by_utc_s + CLOCK_LEEWAY_S
            self._receive_failure(leaver, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and tried again
            leaver.is_absent = False
            self._receive_failure(leaver, error)
        else:
            return True
        return False

    @staticmethod
    def _receive_failure(leaver: _Leaver, error: Exception) -> None:
        """Log the first of several failures; its traceback too, if it is none that is expected."""
        level = logging.DEBUG if leaver.failures else logging.WARNING
        is_expected = isinstance(error, IvsError)
        leaver.failures += 1
        logger.log(
            level,
            "participant %s could not be put out of the stage at Amazon IVS: %s",
            leaver.participant,
            error,
            exc_info=None if is_expected else error,
        )
