"""The room's rules: decides what is withheld from whom, and why. A failure withholds; it never permits anything.

The caller reports each event through a `receive_*` method, then calls `tick` and carries out the effects that it
returns, and calls `tick` again at `deadline()` at the latest. `access_of` is right at any time, also in between.
A refused request raises VisitorError and changes nothing.

What the room decides is in force as soon as it withholds something, and once it is saved if it permits something. So
several states are combined (`RoomState.restricted_by`): the newest that is known to be saved, and all that are not yet.
If a `Save` fails, nobody knows what a restart would find: all that waits is given up as far as it permits something,
and what is left is saved again.

               curtain closes                  Save done
        open ------------------> closed ----------------------> closed, saved
          ^                       |  ^                           |       ^
          |            Save fails |  | after SAVE_AGAIN_S        | curtain opens
          |                       v  |                           v       |
          |                  closed, not saved <---------- closed, opening
          |                                    Save fails     |      (or the curtain closes again)
          +---------------------------------------------------+
                               Save done

Until the saved state is loaded, the curtain is closed for everybody, and cannot be opened.

The microphone has a switch of its own, which obeys the same rule: it is off at once, and on once that is saved.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import Refusal, VisitorError
from belvedere.privacy.effects import Answered, Chime, Cut, Effect, Park, Save, Tell, Uncover, Withhold
from belvedere.privacy.hours import minutes_until_quiet, quiet_minutes
from belvedere.privacy.state import RoomState
from belvedere.privacy.visitor import KNOCK_TIMEOUT_S, Visitor
from belvedere.privacy.words import AccessState, Answer, Fault, Welcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from belvedere.privacy.hours import QuietSpan
    from belvedere.privacy.moment import Moment

SAVE_AGAIN_S = 5.0  # a disk that was full or locked


class Access(msgspec.Struct, frozen=True):
    """Whether a person may look, hear, talk and drive; `until_utc_s` says for how long not, if that is known."""

    state: AccessState
    until_utc_s: float | None = None


class Doing(msgspec.Struct, frozen=True):
    """What a person does in the room now; `talks` with an open microphone, `is_heard` with a voice at this moment."""

    looks: bool = False
    hears: bool = False
    drives: bool = False
    talks: bool = False
    is_heard: bool = False


class Here(msgspec.Struct, frozen=True):
    """A person who is in the room now, and since when."""

    doing: Doing
    since_utc_s: float


class Knock(msgspec.Struct, frozen=True):
    """A knock that waits for an answer."""

    person: str
    since_utc_s: float
    until_utc_s: float


OPEN = Access(AccessState.OPEN)


class Privacy:
    """The rules of one room; not thread-safe.

    Args:
        ask_first: whether people have to knock unless the room has said otherwise.
    """

    def __init__(self, *, ask_first: bool = False) -> None:
        self._default = Welcome.ASKED if ask_first else Welcome.ALWAYS
        self._base: RoomState | None = None  # saved, or what was in force when a `Save` failed; None until it is loaded
        self._wanted = RoomState()
        self._unsaved: dict[int, RoomState] = {}  # by the number of their `Save`
        self._number = 0
        self._save_again_at = math.inf
        self._visitors: dict[str, Visitor] = {}
        self._here: dict[str, Here] = {}
        self._faults: set[Fault] = set()
        self._was_closed = True
        self._was_quiet = False
        self._effects: list[Effect] = []

    # what the room decides

    def receive_loaded(self, at: Moment, saved: RoomState | None) -> None:
        """What was saved; None if nothing ever was. To be called once. A curtain that was closed before stays so."""
        self._base = before = saved or RoomState()
        curtain = self._wanted if self._wanted.is_closed and not before.is_closed else before
        self._wanted = msgspec.structs.replace(
            before,
            is_closed=curtain.is_closed,
            by=curtain.by,
            since_utc_s=curtain.since_utc_s,
            is_muted=before.is_muted or self._wanted.is_muted,
        )
        self._faults.discard(Fault.STORE)
        if saved != self._wanted:  # also if nothing was: what is on the disk once can be overwritten on a full disk
            self._save()
        self._settle(at)

    def receive_load_failed(self, at: Moment) -> None:
        """What was saved cannot be read, so nobody knows whether the curtain was closed."""
        self.receive_fault(at, Fault.STORE, is_failed=True)

    def receive_curtain(self, at: Moment, by: str, *, is_closed: bool) -> int:
        """The room closes or opens the curtain; returns the number of the last `Save`, which has to succeed.

        It is closed at once, and however often it is asked for; but the head is parked once: a page asks again while
        it hears nothing, and what it has asked may come after a stop. Raises VisitorError if it cannot be opened.
        """
        self._advance(at)
        if not is_closed:
            self._require_loaded()
        if is_closed:
            parking = [] if self.is_closed else [Park()]
            self._effects += [Withhold(), Cut(), *parking, Tell()]
            self._was_closed = True
            self._end_visits()
        if is_closed != self._wanted.is_closed:
            self._want(msgspec.structs.replace(self._wanted, is_closed=is_closed, by=by, since_utc_s=int(at.utc_s)))
        elif self._save_again_at < math.inf:
            self._save()
        self._settle(at)
        return self._number

    def receive_welcome(self, at: Moment, person: str, welcome: Welcome) -> int:
        """The room says whether a person has to knock; returns as `receive_curtain` does."""
        self._advance(at)
        self._require_loaded()
        if self._wanted.welcomes.get(person) != welcome:
            self._want(msgspec.structs.replace(self._wanted, welcomes={**self._wanted.welcomes, person: welcome}))
        self._changed()
        self._settle(at)
        return self._number

    def receive_quiet(self, at: Moment, spans: Sequence[QuietSpan]) -> int:
        """The room sets its quiet hours; returns as `receive_curtain` does."""
        self._advance(at)
        self._require_loaded()
        self._want(msgspec.structs.replace(self._wanted, quiet=tuple(sorted(set(spans)))))
        self._changed()
        self._settle(at)
        return self._number

    def receive_microphone(self, at: Moment, *, is_off: bool) -> int:
        """The room switches its microphone off, at once, or on; returns and raises as `receive_curtain` does."""
        self._advance(at)
        if not is_off:
            self._require_loaded()
        if is_off != self._wanted.is_muted:
            self._want(msgspec.structs.replace(self._wanted, is_muted=is_off))
        elif self._save_again_at < math.inf:
            self._save()
        self._changed()
        self._settle(at)
        return self._number

    def receive_guests(self, at: Moment, *, may_hear: bool) -> int:
        """The room says whether guests may hear it; returns and raises as `receive_curtain` does."""
        self._advance(at)
        self._require_loaded()
        if may_hear != self._wanted.guests_hear:
            self._want(msgspec.structs.replace(self._wanted, guests_hear=may_hear))
        self._changed()
        self._settle(at)
        return self._number

    def receive_answer(self, at: Moment, person: str, answer: Answer) -> int:
        """The room lets a person in or sends the person away, knocking or not; returns as `receive_curtain` does."""
        self._advance(at)
        if answer is not Answer.NO:
            self._require_open()
        visitor = self._visitors.setdefault(person, Visitor())
        if visitor.knocked_utc_s is not None:
            self._effects.append(Answered(person, answer))
        if answer is Answer.NO:
            visitor.refuse(at)
        else:
            visitor.let_in(at, is_here=person in self._here)
        self._changed()
        if answer is Answer.ALWAYS:
            self.receive_welcome(at, person, Welcome.ALWAYS)
        return self._number

    def receive_saved(self, at: Moment, number: int) -> None:
        """A `Save` is done, and a restart will know it."""
        state = self._unsaved.get(number)
        if state is None:
            return
        self._unsaved = {later: each for later, each in self._unsaved.items() if later > number}
        self._base = state
        if not self._unsaved:
            self._save_again_at = math.inf
            self._faults.discard(Fault.STORE)
        self._changed()
        self._settle(at)

    def receive_save_failed(self, at: Moment, number: int) -> None:
        """A `Save` is not done, or nobody knows: nothing that waits is permitted, and the rest is saved again."""
        if number not in self._unsaved:
            return
        self._base = self._wanted = self._in_force()
        self._unsaved.clear()
        self._save_again_at = at.now + SAVE_AGAIN_S
        self._faults.add(Fault.STORE)
        self._effects.append(Tell())
        self._settle(at)

    # what people do

    def receive_knock(self, at: Moment, person: str) -> None:
        """A person knocks; does nothing if the person may come in anyway, or has knocked.

        Raises VisitorError if the room has said no, by its curtain, by its quiet hours or to this person.
        """
        access = self.access_of(at, person)
        if access.state in {AccessState.OPEN, AccessState.WAITING}:
            return
        if access.state is not AccessState.KNOCK:
            raise VisitorError(*REFUSALS[access.state])
        visitor = self._visitors.setdefault(person, Visitor())
        visitor.receive_knock(at)
        self._effects += [Chime(person), Tell()]

    def receive_presence(self, at: Moment, doing: Mapping[str, Doing]) -> None:
        """Everybody who looks, hears, drives or talks now."""
        self._advance(at)
        before, self._here = self._here, {}
        for person in sorted(doing, key=lambda each: before[each].since_utc_s if each in before else math.inf):
            known = before.get(person)
            self._here[person] = Here(doing[person], at.utc_s if known is None else known.since_utc_s)
        for person, visitor in self._visitors.items():
            visitor.receive_presence(at, is_here=person in self._here)
        if before != self._here:
            self._effects.append(Tell())

    def receive_forgotten(self, at: Moment, person: str) -> None:
        """This person does not exist any more."""
        self._visitors.pop(person, None)
        if self._base is not None and person in self._wanted.welcomes:
            left = {each: welcome for each, welcome in self._wanted.welcomes.items() if each != person}
            self._want(msgspec.structs.replace(self._wanted, welcomes=left))
        self._changed()
        self._settle(at)

    def receive_fault(self, at: Moment, fault: Fault, *, is_failed: bool) -> None:
        """Something that the room relies on fails, or works again."""
        if (fault in self._faults) != is_failed:
            self._faults.symmetric_difference_update({fault})
            self._effects.append(Tell())
        self._settle(at)

    # what follows from it

    def access_of(self, at: Moment, person: str) -> Access:
        """Whether a person may look, hear, talk and drive at this moment, and why not; the same for every role."""
        self._advance(at)
        if self.is_closed:
            return Access(AccessState.CURTAIN)
        visitor = self._visitors.get(person)
        if visitor is not None and visitor.is_let_in:
            return OPEN
        quiet_utc_s = self.quiet_until_utc_s(at)
        if quiet_utc_s is not None:
            return Access(AccessState.QUIET, quiet_utc_s if quiet_utc_s < math.inf else None)
        if visitor is not None and visitor.refused_utc_s is not None:
            return Access(AccessState.REFUSED, visitor.refused_utc_s)
        if visitor is not None and visitor.knocked_utc_s is not None:
            return Access(AccessState.WAITING, visitor.knocked_utc_s + KNOCK_TIMEOUT_S)
        return OPEN if self.welcome_of(person) is Welcome.ALWAYS else Access(AccessState.KNOCK)

    def may_hear(self, at: Moment, person: str, *, is_guest: bool) -> bool:
        """Whether a person may hear the room at this moment: who may look, unless the room says something else."""
        state = self._in_force()
        if state.is_muted or (is_guest and not state.guests_hear):
            return False
        return self.access_of(at, person).state is AccessState.OPEN

    def welcome_of(self, person: str) -> Welcome:
        """Whether a person has to knock."""
        return self._in_force().welcome_of(person, self._default)

    @property
    def is_closed(self) -> bool:
        """Whether the curtain is closed, for whatever reason."""
        return self._in_force().is_closed

    @property
    def is_saved(self) -> bool:
        """Whether a restart would know all that the room has decided."""
        return not self._unsaved and Fault.STORE not in self._faults

    @property
    def state(self) -> RoomState:
        """What is in force."""
        return self._in_force()

    @property
    def here(self) -> dict[str, Here]:
        """Who is in the room now, by the person's id, in the order in which they came."""
        return dict(self._here)

    @property
    def knocks(self) -> list[Knock]:
        """The knocks that wait for an answer, the oldest first."""
        knocks = [
            Knock(person, visitor.knocked_utc_s, visitor.knocked_utc_s + KNOCK_TIMEOUT_S)
            for person, visitor in self._visitors.items()
            if visitor.knocked_utc_s is not None
        ]
        return sorted(knocks, key=lambda knock: knock.since_utc_s)

    @property
    def faults(self) -> frozenset[Fault]:
        """What does not work."""
        return frozenset(self._faults)

    def quiet_until_utc_s(self, at: Moment) -> float | None:
        """When the quiet hours of this moment end, to the minute; None outside of them, infinite if they never do."""
        minutes = quiet_minutes(self._in_force().quiet, at.local)
        if not minutes or math.isinf(minutes):
            return minutes or None
        return round(at.utc_s / 60 + minutes) * 60.0

    def tick(self, at: Moment) -> list[Effect]:
        """Do what is due, and return all effects since the last call."""
        self._advance(at)
        effects, self._effects = self._effects, []
        return effects

    @property
    def follows_local_time(self) -> bool:
        """Whether `deadline` depends on the local time, which somebody may set meanwhile."""
        return bool(self._in_force().quiet)

    def deadline(self, at: Moment) -> float:
        """When `tick` must be called at the latest if no event comes before; infinite if never."""
        if self._effects:
            return at.now
        spans = self._in_force().quiet
        minutes = quiet_minutes(spans, at.local) or minutes_until_quiet(spans, at.local)
        visitors = (visitor.deadline() for visitor in self._visitors.values())
        return min(self._save_again_at, at.now + minutes * 60, *visitors)

    # Private.

    def _in_force(self) -> RoomState:
        if self._base is None:
            return msgspec.structs.replace(self._wanted, is_closed=True, is_muted=True)
        state = self._base
        for unsaved in self._unsaved.values():
            state = state.restricted_by(unsaved, self._default)
        return state

    def _require_loaded(self) -> None:
        if self._base is None:
            raise VisitorError(Refusal.NOT_READY, "what was decided before cannot be read, so nothing is opened")

    def _require_open(self) -> None:
        if self.is_closed:
            raise VisitorError(*REFUSALS[AccessState.CURTAIN])

    def _want(self, state: RoomState) -> None:
        self._wanted = state
        if self._base is not None:
            self._save()

    def _save(self) -> None:
        self._number += 1
        self._unsaved[self._number] = self._wanted
        self._save_again_at = math.inf
        self._effects.append(Save(self._number, self._wanted))

    def _changed(self) -> None:
        self._effects += [Withhold(), Tell()]

    def _end_visits(self) -> None:
        for visitor in self._visitors.values():
            visitor.end_visit()

    def _settle(self, at: Moment) -> None:
        """After an event: whether the curtain is closed, or it is quiet, may have changed by it."""
        if self.is_closed != self._was_closed:
            self._was_closed = self.is_closed
            if self._was_closed:  # without `Park`: only a person's wish may move the head
                self._effects += [Withhold(), Cut(), Tell()]
                self._end_visits()
            else:
                self._effects += [Uncover(), Withhold(), Tell()]
        self._advance(at)

    def _advance(self, at: Moment) -> None:
        """Do what has become due by the clocks."""
        is_quiet = quiet_minutes(self._in_force().quiet, at.local) > 0
        if is_quiet != self._was_quiet:
            self._was_quiet = is_quiet
            if is_quiet:
                self._end_visits()
            self._changed()
        for person, visitor in self._visitors.items():
            was_waiting = visitor.knocked_utc_s is not None
            if visitor.tick(at):
                self._effects += [Answered(person, Answer.NO)] if was_waiting else []
                self._changed()
        self._visitors = {person: visitor for person, visitor in self._visitors.items() if not visitor.is_idle}
        if at.now >= self._save_again_at:
            self._save()


REFUSALS = {
    AccessState.CURTAIN: (Refusal.CURTAIN_CLOSED, "the room has closed its curtain"),
    AccessState.QUIET: (Refusal.QUIET_HOURS, "the room has quiet hours"),
    AccessState.KNOCK: (Refusal.NOT_WELCOMED, "knock first"),
    AccessState.WAITING: (Refusal.NOT_WELCOMED, "the room has not answered yet"),
    AccessState.REFUSED: (Refusal.NOT_WELCOMED, "not now: knock again later"),
}
