"""The sessions of an earlier run, which end by the wall clock, too. Pure: both times are arguments.

Within a run a session ends by the monotonic clock alone, so a wall clock that jumps changes nothing. How long the
program was off, only the wall clock can tell, and it may be wrong: a Raspberry Pi without a battery starts in the past,
or in 1970, and jumps when the network sets its clock. So a restored session has two bounds.

- What it had left when it was saved runs down on the monotonic clock, and ends it for good. No wall clock, however
  wrong, makes a session longer than that.
- While the wall clock is past its end it is suspended: its cookie proves nothing, and whatever it had going ends. But
  it is not deleted, so that a wall clock that was wrong for a moment costs the moment only.

A wall clock that is behind suspends nothing, because the first bound holds all the same.

Both are true of how long a session may be unused, too, until it is used for the first time in this run.
"""

from __future__ import annotations

import math
from typing import Final

CHECK_EVERY_S: Final = 60.0  # how soon a jump of the wall clock is noticed where no request notices it


class RestoredSessions:
    """The ends of restored sessions in wall-clock time, by the names of the sessions."""

    def __init__(self) -> None:
        self._ends_utc_s: dict[str, float] = {}
        self._idle_utc_s: dict[str, float] = {}
        self._suspended: set[str] = set()
        self._check_at_s: float | None = None

    def add(self, session_id: str, ends_utc_s: float, now: float, idle_utc_s: float = math.inf) -> None:
        """A session was restored; it is checked at once. Unless it is used before, it ends at `idle_utc_s`, too."""
        self._ends_utc_s[session_id] = ends_utc_s
        self._idle_utc_s[session_id] = idle_utc_s
        self._check_at_s = now

    def end_utc_s(self, session_id: str) -> float | None:
        """When this session ends by the wall clock; None for one of this run."""
        return self._ends_utc_s.get(session_id)

    def idle_end_utc_s(self, session_id: str) -> float | None:
        """When this session ends by the wall clock unless it is used; None where it has been used in this run."""
        return self._idle_utc_s.get(session_id)

    def is_suspended(self, session_id: str, utc: float) -> bool:
        """Whether the wall clock is past this session's end."""
        ends_utc_s = self._ends_utc_s.get(session_id)
        return ends_utc_s is not None and utc >= min(ends_utc_s, self._idle_utc_s.get(session_id, math.inf))

    def receive_use(self, session_id: str) -> None:
        """This session, which is not suspended, is used: how long it was unused before counts no more."""
        self._idle_utc_s.pop(session_id, None)

    def forget(self, session_id: str) -> None:
        """This session has ended for good."""
        self._ends_utc_s.pop(session_id, None)
        self._idle_utc_s.pop(session_id, None)

    def check(self, now: float, utc: float) -> list[str]:
        """The sessions that are suspended now and were not at the last check; to be called at `deadline`."""
        if self._check_at_s is None or now < self._check_at_s:
            return []
        suspended = {name for name in self._ends_utc_s if self.is_suspended(name, utc)}
        fresh = suspended - self._suspended
        self._suspended = suspended
        ends = (*self._ends_utc_s.values(), *self._idle_utc_s.values())
        next_s = min((end - utc for end in ends if end > utc), default=CHECK_EVERY_S)
        self._check_at_s = now + min(CHECK_EVERY_S, next_s) if self._ends_utc_s else None
        return sorted(fresh)

    def deadline(self) -> float | None:
        """When `check` is due on the monotonic clock; None without restored sessions."""
        return self._check_at_s if self._ends_utc_s else None
