"""What Amazon IVS bills: for how long participants were on the stage, all together, by months in UTC.

Counted from the moment that a token is handed out until AWS has confirmed that its participant is out, so rather too
much than too little; AWS's bill is what counts. The camera's publisher is a participant, too.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from belvedere.store import participants as rows
from belvedere.store.database import LatestKey
from belvedere.timeouts import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.store.database import Database
    from belvedere.store.participants import SavedMonth

logger = logging.getLogger(__name__)

KIND: Final = "participant-hours"
SAVE_EVERY_S: Final = 60.0
LOOK_EVERY_S: Final = 600.0  # whether a new month has begun, while nobody is there
HOUR_S: Final = 3600.0


class ParticipantHours:
    """Counts. It belongs to the event loop.

    Args:
        database: where months are saved, so that a restart begins with no new month.
        monthly_hours: how many hours a month may have; 0 for any.
        clock: seconds, monotonic, by which time is counted.
        utc: seconds since 1970, which say the month.
    """

    def __init__(
        self,
        database: Database,
        monthly_hours: float,
        *,
        clock: Callable[[], float],
        utc: Callable[[], float],
    ) -> None:
        self._database = database
        self._monthly_s = monthly_hours * HOUR_S
        self._clock = clock
        self._utc = utc
        self._on_used_up: Callable[[], None] = _ignore
        self._months: dict[str, float] = {}
        self._changed: set[str] = set()
        self._is_loaded = False
        self._count = 0
        self._is_publishing = False
        self._counted_at = clock()
        self._was_used_up = False
        self._wake = asyncio.Event()

    @property
    def participant_s(self) -> float:
        """How many seconds this month has, until now."""
        self._tick()
        return self._months.get(month_of(self._utc()), 0.0)

    @property
    def is_used_up(self) -> bool:
        """Whether this month may have no more."""
        return self._monthly_s > 0 and self.participant_s >= self._monthly_s

    @property
    def is_saving(self) -> bool:
        """Whether a restart would know what was counted, to a minute."""
        return self._database.is_saving(KIND)

    def months(self) -> list[SavedMonth]:
        """The months, newest first, the present one until now."""
        self._tick()
        return [rows.SavedMonth(month=name, participant_s=int(each)) for name, each in sorted(self._months.items())][
            ::-1
        ]

    def on_used_up(self, receive: Callable[[], None]) -> None:
        """Call this when a month has used its hours, and when a new month begins after that."""
        self._on_used_up = receive

    def receive_participants(self, count: int) -> None:
        """So many are on the stage, or may be, from now on; without the publisher."""
        self._tick()
        self._count = count
        self._wake.set()

    def receive_publishing(self, is_publishing: bool) -> None:  # noqa: FBT001 - the one thing that it says
        """Whether the camera's publisher is on the stage from now on."""
        self._tick()
        self._is_publishing = is_publishing
        self._wake.set()

    async def load(self) -> None:
        """Add what earlier runs have counted; once, however often it is called. Raises StoreError."""
        if self._is_loaded:
            return
        for each in await self._database.read(rows.load_months, "the participant-hours of Amazon IVS"):
            self._months[each.month] = self._months.get(each.month, 0.0) + each.participant_s
        self._is_loaded = True

    async def run(self) -> None:
        """Save what is counted, and notice when a month is used up or over, until cancelled."""
        save_at = self._clock()
        while True:
            self._wake.clear()
            self._look()
            now = self._clock()
            if now >= save_at or not self._billed:
                self.save()
                save_at = now + (SAVE_EVERY_S if self._billed else LOOK_EVERY_S)
            await wait_until(self._wake, min(save_at, now + self._left_s()), self._clock)

    def save(self) -> None:
        """Save the months that have changed."""
        self._tick()
        changed, self._changed = self._changed, set()
        for month in sorted(changed):
            row = rows.SavedMonth(month=month, participant_s=int(self._months[month]))
            what = f"the participant-hours of {month}"
            self._database.write_latest(LatestKey(KIND, month), functools.partial(rows.save_month, month=row), what)

    @property
    def _billed(self) -> int:
        return self._count + self._is_publishing

    def _left_s(self) -> float:
        """How long the month's hours last if nobody else comes; infinite where nothing uses them up."""
        if not self._billed or not self._monthly_s or self.is_used_up:
            return math.inf
        return max(0.0, (self._monthly_s - self.participant_s) / self._billed)

    def _look(self) -> None:
        is_used_up = self.is_used_up
        if is_used_up == self._was_used_up:
            return
        self._was_used_up = is_used_up
        if is_used_up:
            logger.warning(
                "Amazon IVS has had its %g participant-hours of this month: pages use the other ways until the next;"
                " [stage.ivs] monthly_hours allows more",
                self._monthly_s / HOUR_S,
            )
        else:
            logger.info("Amazon IVS may be used again")
        self._on_used_up()

    def _tick(self) -> None:
        """Add the time since the last call to the month of now."""
        now = self._clock()
        elapsed_s, self._counted_at = max(0.0, now - self._counted_at), now
        if self._billed:
            month = month_of(self._utc())
            self._months[month] = self._months.get(month, 0.0) + elapsed_s * self._billed
            self._changed.add(month)


def _ignore() -> None:
    """Do nothing: nobody asked to be told."""


def month_of(utc_s: float) -> str:
    """Such as `2026-11`."""
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m")
