"""Decides what one connection hands to the radio next: a stop, a move, a question, or nothing until some time. Pure.

What was handed over without response waits in a queue that cannot be seen. The courier counts as if the radio took one
packet each interval: a move, a repeated stop or a probe leaves only when that imagined queue is empty. The first stop
after a move never waits: at most one packet is ahead of it, so that it is on the air within two intervals.

Commands without response are lost without a trace when a unit has no room for them. So the last word of every move is a
stop that the unit acknowledges, where it can; only where it cannot, a probe shows that at least the link is alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.link.mailbox import Letter, Mailbox

if TYPE_CHECKING:
    from belvedere.link.options import LinkOptions
    from belvedere.link.pace import Pace

EARLY_PROBE_EVERY_S = 0.2  # until the pace is well learned: the first seconds tell the most
QUIET_S = 0.1  # after a stop's repeats (50 ms apart) a last question shows that the unit has them
GOLDEN = 0.381966  # steps of this share of a span visit all of it evenly
SPREAD = 0.5  # a probe leaves up to this share of an interval late, so that pace and radio cannot march in lockstep


class Probe(msgspec.Struct, frozen=True):
    """Ask the unit something."""


class Confirmation(msgspec.Struct, frozen=True):
    """Tell the unit at rest to stop once more, and to acknowledge that."""


class Handed:
    """A call that was begun and has not ended; without a letter it is a question."""

    def __init__(self, letter: Letter | None, now: float, timeout_s: float) -> None:
        self.letter = letter
        self.since = now
        self.timeout_s = timeout_s
        self.overdue_at = now + timeout_s


class Courier:
    """The order of business on one connection; all times are seconds of one monotonic clock.

    Whoever runs it asks `next`, begins the call that it names, tells how the call ended, and asks again, at `deadline`
    at the latest.
    """

    def __init__(
        self,
        pace: Pace,
        options: LinkOptions,
        *,
        with_response: bool,
        can_probe: bool,
        can_acknowledge: bool,
    ) -> None:
        self.pace = pace
        self.with_response = with_response
        self._mailbox = Mailbox()
        # An acknowledged write is as good as a probe, and requests would only queue behind each other.
        self._can_probe = can_probe and not with_response
        self._can_acknowledge = can_acknowledge and not with_response
        self._probe_every_s = options.probe_every_s
        self._writing: Handed | None = None
        self._probing: Handed | None = None
        self._free_at = 0.0
        self._probed_at = 0.0
        self._wrote_at = 0.0
        self._is_moving = False
        self._is_confirmed = True
        self._now = 0.0
        self._spread = 0.0

    @property
    def is_surely_at_rest(self) -> bool:
        """Whether the unit has shown, by an answer that came after it, that it has its newest stop."""
        return not self._is_moving and self._is_confirmed and self._writing is None and self._probing is None

    def put(self, letter: Letter) -> None:
        """Replace whatever waits, but for a stop that the moving unit has not been told yet."""
        if not self._is_moving:
            self._mailbox.drop_stop()
        self._mailbox.put(letter)

    def receive_settled(self, now: float) -> None:
        """The unit was told to stop, and nothing waits on the way to it; whatever waits here is forgotten."""
        self._advance(now)
        self._mailbox.clear()
        self._is_moving, self._is_confirmed = False, True
        self._free_at = now

    def next(self, now: float) -> Letter | Probe | Confirmation | None:
        """What to hand over now; it counts as begun."""
        self._advance(now)
        if self._writing is not None:
            return None
        if self._is_stop_urgent() or (now >= self._free_at and not self._is_probe_due(now) and self._may_write(now)):
            letter = self._mailbox.take()
            if letter is not None:
                self._begin_write(letter, now)
            return letter
        if self._is_probe_due(now) and now >= self._probe_slot():
            self._spread = (self._spread + GOLDEN) % 1
            self._probing = Handed(None, now, self.pace.probe_timeout_s)
            self._probed_at = now
            self._occupy(now)
            self._is_confirmed = True  # until something is handed over after it
            return Probe()
        if self._is_confirmation_due(now):
            self._writing = Handed(None, now, self.pace.probe_timeout_s)
            return Confirmation()
        return None

    def deadline(self) -> float | None:
        """When `next` or `is_overdue` may have something to say, if nothing happens before; None for never."""
        calls = [call.overdue_at for call in (self._writing, self._probing) if call]
        if self._writing is not None:
            return min(calls)
        if self._probe_at() is not None:
            calls.append(self._probe_slot())
        letter = self._mailbox.letter
        if letter is not None and not self._is_held(self._now, letter) and not self._is_probe_due(self._now):
            calls.append(self._free_at)
        if self._is_confirmation_missing():
            calls.append(self._confirmation_slot())
        return min(calls, default=None)

    def is_overdue(self, now: float) -> bool:
        """Whether a call has taken longer than a good link can take."""
        self._advance(now)
        calls = (call for call in (self._writing, self._probing) if call is not None)
        return any(now >= call.overdue_at for call in calls)

    def receive_stall(self, now: float) -> None:
        """Nobody looked for a while: answers may wait to be read, so every call has its whole time again."""
        for call in (self._writing, self._probing):
            if call is not None:
                call.overdue_at = now + call.timeout_s

    def newest(self) -> Letter:
        """The letter to write, asked when the write really begins: a command that came since `next` replaces a move."""
        handed = self._writing
        if handed is None or handed.letter is None:
            raise AssertionError("nothing is being written")
        if not handed.letter.is_stop and self._mailbox.letter is not None:
            handed.letter = self._mailbox.take() or handed.letter
            self._is_moving = not handed.letter.is_stop
        return handed.letter

    def receive_written(self, now: float) -> Letter | None:
        """The write that was begun has ended well; returns its letter, None for a confirmation."""
        self._advance(now)
        handed, self._writing = self._writing, None
        if handed is None:
            raise AssertionError("nothing was being written")
        if self.with_response or handed.letter is None:
            self.pace.receive_round_trip(now - handed.since)
            self._is_confirmed = True
        return handed.letter

    def receive_refused(self) -> None:
        """The unit refused the write that was begun."""
        self._writing = None

    def receive_probed(self, now: float, *, is_answered: bool) -> None:
        """The probe has ended; without an answer there is nothing to ask this unit."""
        self._advance(now)
        probing, self._probing = self._probing, None
        if is_answered and probing is not None:
            self.pace.receive_round_trip(now - probing.since)
            if self._is_confirmed:  # nothing was handed over after it, so nothing waits
                self._free_at = min(self._free_at, now)
        else:
            self._can_probe = False

    def _begin_write(self, letter: Letter, now: float) -> None:
        self._writing = Handed(letter, now, self.pace.answer_timeout_s)
        self._wrote_at = now
        self._is_moving = not letter.is_stop
        self._is_confirmed = False
        self._occupy(now)

    def _occupy(self, now: float) -> None:
        """One more packet is in the imagined queue."""
        if not self.with_response:
            self._free_at = max(self._free_at, now) + self.pace.interval_s

    def _is_stop_urgent(self) -> bool:
        return self._mailbox.letter is not None and self._mailbox.letter.is_stop and self._is_moving

    def _may_write(self, now: float) -> bool:
        return self._mailbox.letter is not None and not self._is_held(now, self._mailbox.letter)

    def _is_held(self, now: float, letter: Letter) -> bool:
        """Moves wait while a probe shows that a backlog does."""
        probing = self._probing
        return not letter.is_stop and probing is not None and now - probing.since >= self.pace.backlog_after_s

    def _probe_slot(self) -> float:
        """When the next probe leaves; moves wait for it once it is due."""
        return max(self._probe_at() or 0.0, self._free_at) + SPREAD * self._spread * self.pace.interval_s

    def _is_probe_due(self, now: float) -> bool:
        probe_at = self._probe_at()
        return probe_at is not None and now >= probe_at

    def _probe_at(self) -> float | None:
        """When the unit should be asked next; None while there is no reason to."""
        if not self._can_probe or self._probing is not None:
            return None
        if self._is_moving:
            every_s = self._probe_every_s if self.pace.is_well_learned else EARLY_PROBE_EVERY_S
            return self._probed_at + every_s
        return None if self._is_confirmed or self._can_acknowledge else self._wrote_at + QUIET_S

    def _is_confirmation_missing(self) -> bool:
        """Whether the unit shall acknowledge its stop, as soon as that leaves nothing else waiting."""
        is_idle = not self._is_moving and self._mailbox.letter is None and self._probing is None
        return self._can_acknowledge and is_idle and not self._is_confirmed

    def _is_confirmation_due(self, now: float) -> bool:
        return self._is_confirmation_missing() and now >= self._confirmation_slot()

    def _confirmation_slot(self) -> float:
        return max(self._wrote_at + QUIET_S, self._free_at)

    def _advance(self, now: float) -> None:
        """Let time pass; if it goes backwards, nothing waits for the old one."""
        if now < self._now:
            self._free_at = now
            self._probed_at = self._wrote_at = now
            for call in (self._writing, self._probing):
                if call is not None:
                    call.overdue_at += now - call.since
                    call.since = now
        self._now = now
