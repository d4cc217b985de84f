"""A reference model of the fail-safe rules: who drives, which press counts until when, and what must be refused.

The model harness runs it beside the core and compares both after every event. It is written from the rules and shares
no code with the core; where the core is fast, the model is simple.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.control.handover import Question, QuestionEnd
from belvedere.control.lease import LeaseStatus, LeaseVerb
from belvedere.errors import Refusal
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from belvedere.control.options import ControlOptions
    from belvedere.control.setpoint import Setpoint

PEOPLE = {"ann": 0, "ann-again": 0, "bob": 0, "room": 1}  # sessions and their ranks
WINDOW_S = 30.0  # how long a fast message is the reference for later ones
JUMP_S = 0.1  # a clock that is off by less is not detected
SLOWEST = 0.25  # what is left of the top speed at the largest delay


def person_of(session: str) -> str:
    """The person of a session; two sessions are ann's."""
    return session.removesuffix("-again")


@dataclass
class LeaseModel:
    """The driver, the epoch, and when the lease ends if the driver sends nothing."""

    options: ControlOptions
    driver: str | None = None
    epoch: int = 0
    is_gone: bool = False
    ends_at: float = 0.0
    moved_at: float = 0.0

    def is_held_by(self, session: str) -> bool:
        """Whether this session drives now."""
        return session == self.driver and not self.is_gone

    def renew(self, now: float, session: str) -> None:
        """The session sent something."""
        if self.is_held_by(session):
            self.ends_at = now + self.options.lease_stale_s

    def is_idle(self, now: float) -> bool:
        """Whether the driver has not moved the head for long."""
        return self.driver is not None and now >= self.moved_at + self.options.lease_idle_s

    def refusal(self, now: float, session: str, verb: LeaseVerb) -> Refusal | None:
        """Why this request must be refused; None if it is granted."""
        if self.driver is None or self.is_held_by(session) or verb is LeaseVerb.RETURN:
            return None
        is_own = person_of(session) == person_of(self.driver)
        if verb is LeaseVerb.ACQUIRE:
            return None if is_own and self.is_gone else Refusal.SOMEONE_ELSE_DRIVES
        if is_own or self.is_idle(now) or PEOPLE[session] > PEOPLE[self.driver]:
            return None
        return Refusal.OUTRANKED if PEOPLE[session] < PEOPLE[self.driver] else Refusal.SOMEONE_ELSE_DRIVES

    def grant(self, now: float, session: str) -> None:
        """This session drives from now on."""
        self.driver, self.is_gone, self.epoch, self.moved_at = session, False, self.epoch + 1, now
        self.renew(now, session)


@dataclass
class RelativeDelayModel:
    """How late a session's messages arrive, by a client's clock that is exact except for the time that it slept."""

    heard: list[tuple[float, float]] = field(default_factory=list)

    def apparent_s(self, now: float, late_s: float, max_s: float = math.inf) -> float:
        """How late a message seems whose delay was `late_s`, compared with the fastest recent one.

        Its delay cannot be longer than `max_s`; if it seems so, the client's clock stood still, and earlier messages
        are forgotten.
        """
        self.heard = [(at, late) for at, late in self.heard if at >= now - WINDOW_S]
        self.heard.append((now, late_s))
        apparent_s = late_s - min(late for _at, late in self.heard)
        if apparent_s > max_s + JUMP_S:
            self.heard = [(now, late_s)]
            return 0.0
        return min(apparent_s, max_s)


@dataclass
class MotionModel:
    """When the head began to move, and when it stopped."""

    rest_s: float
    changes: list[tuple[float, bool]] = field(default_factory=list)

    def note(self, now: float, *, is_moving: bool) -> None:
        """From now on it moves, or is at rest."""
        if self.began_at(now) is None:
            self.changes.clear()
        if is_moving != (bool(self.changes) and self.changes[-1][1]):
            self.changes.append((now, is_moving))

    def jump(self, seconds: float) -> None:
        """The clock went backwards."""
        self.changes = [(at - seconds, is_moving) for at, is_moving in self.changes]

    def began_at(self, now: float) -> float | None:
        """Since when it has moved without a rest of `rest_s`; None if it has rested."""
        began_at, ends_at = None, now
        for at, is_moving in reversed(self.changes):
            if is_moving:
                began_at = at
            elif ends_at - at >= self.rest_s:
                break
            ends_at = at
        return began_at


@dataclass
class Press:
    """The current press: its number, its beginning, the end of its newest setpoint, and the target of each axis.

    An axis without a target was cut, and stays so. `changed_at` is when a target last changed.
    """

    number: int
    began_at: float
    expires_at: float
    targets: dict[Axis, float]
    changed_at: float


class ReferenceModel:
    """The state that the rules refer to, without any of the core's own representation."""

    def __init__(self, options: ControlOptions, answer_s: float = 15.0, ask_again_s: float = 30.0) -> None:
        self.options = options
        self.answer_s, self.ask_again_s = answer_s, ask_again_s
        self.asked: dict[str, float] = {}  # until when each asker's question is open
        self.refused: dict[str, float] = {}  # until when each person may not ask
        self.to_answer: set[tuple[str, QuestionEnd]] = set()  # what askers must be told
        self.lease = LeaseModel(options)
        self.press: Press | None = None
        self.is_closing = False
        self.to_notify: set[str] = set()  # sessions that must be notified of losing the lease
        self.motion = MotionModel(options.dead_man_s)
        self._present: dict[str, RelativeDelayModel] = {}
        self._ready: set[Axis] = set()
        self._newest_seq = -1
        self._newest_hold = -1

    # queries

    def target(self, axis: Axis) -> float:
        """The velocity that the press asks of this axis, as of the last `pass_time`."""
        return self.press.targets.get(axis, 0.0) if self.press is not None else 0.0

    def ends_at(self, now: float) -> float:
        """When the current press ends at the latest if no message arrives."""
        assert self.press is not None
        began_at = self.motion.began_at(now)
        first = self.press.began_at if began_at is None else min(began_at, self.press.began_at)
        return min(self.press.expires_at, first + self.options.hold_ceiling_s, self.lease.ends_at)

    def status(self, now: float) -> LeaseStatus:
        """What the core must say about the lease."""
        lease = self.lease
        if lease.driver is None:
            return LeaseStatus(lease.epoch, None, 0)
        questions = tuple(Question(asker, person_of(asker), until) for asker, until in self.asked.items())
        free_at = lease.ends_at if lease.is_gone else None
        person = person_of(lease.driver)
        return LeaseStatus(
            lease.epoch, lease.driver, PEOPLE[lease.driver], person, lease.is_idle(now), free_at, questions
        )

    def is_overdue(self, now: float, *, is_idle: bool) -> bool:
        """Whether the core, which says that its driver `is_idle`, has not noticed what was due by now."""
        return (self.lease.is_idle(now) and not is_idle) or any(now >= until for until in self.asked.values())

    # events

    def pass_time(self, now: float) -> None:
        """End whatever has expired by now."""
        if self.lease.driver is not None and now >= self.lease.ends_at:
            if self.lease.driver in self._present:
                self.to_notify.add(self.lease.driver)
            self.lease.driver = None
            self._forget_holds()
        self.refused = {person: until for person, until in self.refused.items() if now < until}
        for asker in [asker for asker, until in self.asked.items() if now >= until]:
            self._refuse(now, asker)
            self.to_answer.add((asker, QuestionEnd.UNANSWERED))
        if self.press is not None and now >= self.ends_at(now):
            self.press = None

    def jump(self, seconds: float, now: float) -> None:
        """The clock went backwards to `now`: the press ends, and the lease lasts for the full time at most."""
        assert seconds > 0
        self.press = None
        full_s = max(self.options.lease_stale_s, self.options.lease_grace_s)
        self.lease.ends_at = min(self.lease.ends_at, now + full_s)
        self.lease.moved_at = min(self.lease.moved_at, now)
        self.asked = {asker: min(until, now + self.answer_s) for asker, until in self.asked.items()}
        self.refused = {person: min(until, now + self.ask_again_s) for person, until in self.refused.items()}
        self._present = {session: RelativeDelayModel() for session in self._present}
        self.motion.jump(seconds)

    def open(self, session: str) -> None:
        """A session opened."""
        self._present[session] = RelativeDelayModel()

    def close_session(self, now: float, session: str) -> None:
        """A session closed."""
        if self.lease.is_held_by(session):
            self.press = None
            self.lease.is_gone, self.lease.ends_at = True, now + self.options.lease_grace_s
        self._refuse(now, session)
        self._present.pop(session, None)

    def withdraw(self, now: float, session: str) -> None:
        """A session may not drive any more; nothing refuses that."""
        self._refuse(now, session)
        if self.lease.is_held_by(session):
            self.lease.driver = None
            self._forget_holds()

    def answer(self, now: float, session: str, asker: str, *, is_granted: bool) -> Refusal | None:
        """A session answers another's question. Returns the reason if it is refused."""
        if not self.lease.is_held_by(session):
            return Refusal.NOT_DRIVING
        if asker not in self.asked:
            return Refusal.NO_QUESTION
        if is_granted:
            self.lease.grant(now, asker)
            self._forget_holds()
        else:
            self._refuse(now, asker)
            self.to_answer.add((asker, QuestionEnd.DENIED))
        return None

    def give(self, now: float, session: str, to: str) -> Refusal | None:
        """A session gives the lease to another. Returns the reason if it is refused."""
        if not self.lease.is_held_by(session):
            return Refusal.NOT_DRIVING
        if to not in self._present:
            return Refusal.NOT_READY
        if to != session:
            self.lease.grant(now, to)
            self._forget_holds()
        return None

    def ask(self, now: float, session: str, verb: LeaseVerb) -> Refusal | None:
        """A session asks for the lease or returns it. Returns the reason if it is refused."""
        if session not in self._present:
            return Refusal.NOT_READY
        refusal = self.lease.refusal(now, session, verb)
        if refusal is not None and verb is LeaseVerb.ASK:
            return self._open_question(now, session)
        if refusal is not None:
            return refusal
        if verb is LeaseVerb.RETURN:
            if self.lease.is_held_by(session):
                self.lease.driver = None
                self._forget_holds()
        elif self.lease.is_held_by(session):
            self.lease.renew(now, session)
        else:
            if self.lease.driver is not None and self.lease.driver != session:
                self.to_notify.add(self.lease.driver)
            self.lease.grant(now, session)
            self._forget_holds()
        return None

    def renew(self, now: float, session: str, late_s: float) -> None:
        """A heartbeat."""
        self.lease.renew(now, session)
        if session in self._present:
            self._present[session].apparent_s(now, late_s)

    def receive(self, now: float, session: str, setpoint: Setpoint, late_s: float) -> Refusal | None:
        """A setpoint with this delay arrived. Returns the reason if it is refused."""
        refusal = self._refusal_of_sender(session, setpoint)
        if refusal is not None:
            return refusal
        self.lease.renew(now, session)
        if setpoint.seq <= self._newest_seq:
            return Refusal.OLD_SEQUENCE
        self._newest_seq = setpoint.seq
        age_s = _age_s(now, setpoint)
        is_late = self._present[session].apparent_s(now, late_s, age_s) > self.options.dead_man_s
        if is_late or age_s > self.options.max_age_s:
            self._end(setpoint.hold)
            return Refusal.TOO_SLOW if self.options.max_age_s < age_s < math.inf else Refusal.TOO_LATE
        return self._take(now, setpoint)

    def release(self, now: float, session: str, epoch: int, hold: int) -> None:
        """The visitor released the control."""
        if self.lease.is_held_by(session) and epoch == self.lease.epoch:
            self.lease.renew(now, session)
            self._end(hold)

    def stop(self, now: float, session: str) -> None:
        """A session requested a stop."""
        self.lease.renew(now, session)
        self.press = None

    def close(self) -> None:
        """The program is about to end."""
        self.press, self.is_closing = None, True

    def link(self, axis: Axis, *, is_ready: bool) -> None:
        """The link to a unit came up or went down."""
        if is_ready:
            self._ready.add(axis)
            return
        self._ready.discard(axis)
        if self.press is not None:
            self.press.targets.pop(axis, None)

    # internals

    def _refusal_of_sender(self, session: str, setpoint: Setpoint) -> Refusal | None:
        if session not in self._present or self.is_closing:
            return Refusal.NOT_READY
        if not self.lease.is_held_by(session):
            return Refusal.NOT_DRIVING if self.lease.driver is None else Refusal.SOMEONE_ELSE_DRIVES
        if setpoint.epoch != self.lease.epoch:
            return Refusal.OLD_EPOCH
        is_possible = all(abs(setpoint.velocity(axis)) <= 1 for axis in AXES)
        return None if is_possible else Refusal.BAD_MESSAGE

    def _take(self, now: float, setpoint: Setpoint) -> Refusal | None:
        expires_at = now + min(setpoint.for_s, self.options.dead_man_s)
        if self.press is None or setpoint.hold != self.press.number:
            if setpoint.hold <= self._newest_hold:
                return Refusal.HOLD_ENDED
            self._newest_hold = setpoint.hold
            began_at = self.motion.began_at(now)
            if began_at is not None and now >= began_at + self.options.hold_ceiling_s:
                return Refusal.HOLD_TOO_LONG
            self.press = Press(setpoint.hold, now, expires_at, dict.fromkeys(self._ready, 0.0), now)
        self.press.expires_at = expires_at
        share = self._share(now, setpoint)
        if setpoint.pan != 0 or setpoint.tilt != 0:
            self.lease.moved_at = now
        targets = {axis: share * setpoint.velocity(axis) for axis in self.press.targets}
        if targets != self.press.targets:
            self.press.targets, self.press.changed_at = targets, now
        return None

    def _share(self, now: float, setpoint: Setpoint) -> float:
        """The factor by which a setpoint is slowed down because of its age."""
        half_s = self.options.max_age_s / 2
        share_of_rest = max(0.0, (_age_s(now, setpoint) - half_s) / half_s)
        most = 1 - (1 - SLOWEST) * share_of_rest
        fastest = max(abs(setpoint.velocity(axis)) for axis in AXES)
        return 1.0 if fastest <= most else most / fastest

    def _end(self, hold: int) -> None:
        """End this press, and any before it."""
        self._newest_hold = max(self._newest_hold, hold)
        if self.press is not None and self.press.number <= hold:
            self.press = None

    def _open_question(self, now: float, session: str) -> Refusal | None:
        if session in self.asked:
            return None
        person = person_of(session)
        if now < self.refused.get(person, now) or any(person_of(asker) == person for asker in self.asked):
            return Refusal.TOO_FAST
        self.asked[session] = now + self.answer_s
        return None

    def _refuse(self, now: float, asker: str) -> None:
        if self.asked.pop(asker, None) is not None:
            self.refused[person_of(asker)] = now + self.ask_again_s

    def _forget_holds(self) -> None:
        """The lease has another holder, or none: no press is valid, and whatever was asked is over."""
        self.press, self._newest_seq, self._newest_hold = None, -1, -1
        for asker in self.asked:
            self.to_answer.add((asker, QuestionEnd.GRANTED if self.lease.is_held_by(asker) else QuestionEnd.OVER))
        self.asked = {}


def _age_s(now: float, setpoint: Setpoint) -> float:
    """The upper bound of a setpoint's age; infinite if it names a time that was not sent yet."""
    age_s = now - setpoint.heard_s
    return math.inf if age_s < 0 else age_s
