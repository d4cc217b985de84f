"""Runs the room's rules (`privacy.core`) on a clock, and makes the house obey them.

What closes comes first, within the call that causes it and without an `await`: rights are withheld, which ends sockets,
pictures and driving; then the stage is covered and the head stopped; only then is anything saved or told. Each of these
steps is done though another one fails. If the rules themselves fail, everything is withheld, and `run` raises.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, assert_never

from belvedere.access.rights import NO_RIGHTS, Right, Rights, Role
from belvedere.engine.parking import ParkingEnd
from belvedere.errors import InternalError, Refusal, StoreError, VisitorError
from belvedere.events import KnockAnswered, Knocked, ParkingEnded, ignore
from belvedere.privacy.core import REFUSALS, Access, Privacy
from belvedere.privacy.effects import Answered, Chime, Cut, Effect, Park, Save, Tell, Uncover, Withhold
from belvedere.privacy.hours import LocalTime
from belvedere.privacy.moment import Moment
from belvedere.privacy.words import AccessState, Fault
from belvedere.room.presence import Presence, Voices
from belvedere.timeouts import timeout, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from belvedere.access.invitations import Invitations
    from belvedere.access.sessions import Session
    from belvedere.engine.parking import ParksHead
    from belvedere.events import Event
    from belvedere.privacy.hours import QuietSpan
    from belvedere.privacy.words import Answer, Welcome
    from belvedere.room.outputs import CoveredStage, MediaOutput, StoppableHead
    from belvedere.room.room_store import KeepsRoom

logger = logging.getLogger(__name__)

TOPIC: Final = "room"  # on the bus: what the room is shown, or what somebody is told, has changed
SHOWN: Final[Rights] = frozenset(
    {Right.LOOK, Right.DRIVE, Right.TALK}
)  # what is withheld while a person may not come in
STOPPER: Final = "curtain"  # what the engine calls who stops the head
CUT_TIMEOUT_S: Final = 5.0
LOAD_AGAIN_S: Final = 5.0
LONGEST_WAIT_S: Final = 10.0  # where there are quiet hours: the wall clock may be set meanwhile
FINE: Final = frozenset({ParkingEnd.PARKED, ParkingEnd.NOT_SET, ParkingEnd.CANCELLED})


def local_time(utc_s: float) -> LocalTime:
    """The time of the week by this computer's time zone."""
    local = time.localtime(utc_s)
    return LocalTime(local.tm_wday, local.tm_hour * 60 + local.tm_min + (local.tm_sec + utc_s % 1) / 60)


class RoomRuntime:
    """The rules, and what obeys them. It belongs to the event loop; until `load` has succeeded, all is withheld.

    Args:
        rules: the core.
        invitations: whose rights are withheld.
        stage, head: what is cut when the curtain closes.
        store: where decisions are saved.
        clock, utc, local: seconds of a monotonic clock; seconds since 1970; the time of the week for these.
        tell: called when what the room is shown, or what somebody is told, has changed.
        record: called with the events of knocks.
        outputs: what else is cut.
        parking: turns the head away; None where the owner wants none.
        signal_faults: which of the chime and the light do not work, by the values of `Fault`.
    """

    def __init__(
        self,
        rules: Privacy,
        invitations: Invitations,
        stage: CoveredStage,
        head: StoppableHead,
        store: KeepsRoom,
        *,
        clock: Callable[[], float],
        utc: Callable[[], float] = time.time,
        local: Callable[[float], LocalTime] = local_time,
        tell: Callable[[], None] = lambda: None,
        record: Callable[[Event], None] = ignore,
        outputs: Sequence[MediaOutput] = (),
        parking: ParksHead | None = None,
        signal_faults: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._rules = rules
        self._invitations = invitations
        self._stage = stage
        self._head = head
        self._store = store
        self._clock, self._utc, self._local = clock, utc, local
        self._tell = tell
        self._record = record
        self._outputs = outputs
        self._parking = parking
        self._signal_faults = signal_faults
        self._presence = Presence(self._is_known, self._person_of)
        self._voice_rules_changed: Callable[[], None] = lambda: None
        self._voice_faults: Callable[[], frozenset[str]] = frozenset
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._saves: dict[int, asyncio.Task[None]] = {}
        self._is_stepping = False
        self._is_loaded = False
        self._failure: Exception | None = None

    def begin(self) -> None:
        """Withhold everything until it is known what was decided before; call it before anybody can come in."""
        self._stage.cover()
        self._invitations.withhold(self.withheld, self.refusal_of)

    def watch_voice(self, on_changed: Callable[[], None], faults: Callable[[], frozenset[str]]) -> None:
        """Call `on_changed` within every call by which somebody may hear or talk who might not before, or the reverse.

        `faults` says which of the microphone and the speaker do not work, by the values of `Fault`.
        """
        self._voice_rules_changed, self._voice_faults = on_changed, faults

    async def load(self) -> None:
        """Load what was decided before; if that fails, `run` tries again, and the curtain is closed until then."""
        try:
            saved = await self._store.load()
        except StoreError as error:
            logger.warning("the curtain is closed, because nobody knows whether it was: %s", error)
            with self._stepping() as at:
                self._rules.receive_load_failed(at)
            return
        self._is_loaded = True
        with self._stepping() as at:
            self._rules.receive_loaded(at, saved)
        if self._rules.is_closed:
            logger.info("the curtain is closed, as it was before the start")

    async def run(self) -> None:
        """Do what becomes due by the clocks, until cancelled. Raises InternalError if the rules have failed."""
        load_at = self._clock() + LOAD_AGAIN_S
        while True:
            if not self._is_loaded and self._clock() >= load_at:
                await self.load()
                load_at = self._clock() + LOAD_AGAIN_S
            with self._stepping():
                pass
            self._wake.clear()  # no event can be missed: nothing is awaited between the step and the wait
            at = self._moment()
            wait_s = LONGEST_WAIT_S if self._rules.follows_local_time else math.inf
            due_at = min(self._rules.deadline(at), at.now + wait_s, math.inf if self._is_loaded else load_at)
            await wait_until(self._wake, due_at if due_at < math.inf else None, self._clock)

    async def close(self) -> None:
        """Cancel what still runs."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # what is asked of it

    def withheld(self, session: Session) -> Rights:
        """What the room withholds of a session's rights now; the same for every role."""
        return NO_RIGHTS if self.access_of(session).state is AccessState.OPEN else SHOWN

    def refusal_of(self, session: Session) -> VisitorError:
        """Why it does."""
        refusal = REFUSALS.get(self.access_of(session).state)
        return VisitorError(*(refusal or (Refusal.NOT_READY, "try again in a moment")))

    def access_of(self, session: Session) -> Access:
        """Whether a session's person may come in now, and why not."""
        return self.access_of_person(session.person)

    def access_of_person(self, person: str) -> Access:
        """Whether a person may come in now, and why not."""
        if self._failure is not None:
            return Access(AccessState.CURTAIN)
        return self._rules.access_of(self._moment(), person)

    def may_hear(self, session: Session) -> bool:
        """Whether the room lets a session's person hear it now. A program is nobody whom the room could know."""
        if self._failure is not None or session.role is Role.PROGRAM:
            return False
        return self._rules.may_hear(self._moment(), session.person, is_guest=session.role is Role.GUEST)

    @property
    def rules(self) -> Privacy:
        """The core, to be read only."""
        return self._rules

    @property
    def quiet_until_utc_s(self) -> float | None:
        """When the quiet hours of now end; None outside of them, infinite if they never do."""
        return self._rules.quiet_until_utc_s(self._moment())

    @property
    def faults(self) -> frozenset[Fault]:
        """What does not work for the room now."""
        return self._rules.faults | {Fault(each) for each in self._signal_faults() | self._voice_faults()}

    @property
    def is_saved(self) -> bool:
        """Whether a restart would know what the room has decided."""
        return self._rules.is_saved and self._store.survives_restart

    # what happens

    def receive(self, event: Event) -> None:
        """Any event: by them it is known who is here, and whether the head was parked."""
        is_changed = self._presence.receive(event)
        if self._failure is not None:
            return
        if is_changed:
            with self._stepping() as at:
                self._rules.receive_presence(at, self._presence.doing())
        elif isinstance(event, ParkingEnded):
            with self._stepping() as at:
                self._rules.receive_fault(at, Fault.PARK, is_failed=event.end not in FINE)

    def receive_voices(self, voices: Voices) -> None:
        """Who hears and talks now."""
        if self._presence.receive_voices(voices) and self._failure is None:
            with self._stepping() as at:
                self._rules.receive_presence(at, self._presence.doing())

    def receive_signals_changed(self) -> None:
        """The chime, the light, the microphone or the speaker has failed, or works again."""
        self._tell()

    def receive_forgotten(self, person: str) -> None:
        """A person does not exist any more."""
        with self._stepping() as at:
            self._rules.receive_forgotten(at, person)

    def receive_knock(self, session: Session) -> None:
        """A session's person knocks. Raises VisitorError if the room has said no."""
        with self._stepping() as at:
            self._rules.receive_knock(at, session.person)

    def receive_curtain(self, by: str, *, is_closed: bool) -> int:
        """Close the curtain within this call, or begin to open it; returns the number for `saved`.

        Raises VisitorError if it cannot be opened. It is closed whatever fails: then InternalError is raised after it.
        """
        with self._stepping() as at:
            number = self._rules.receive_curtain(at, by, is_closed=is_closed)
        logger.info("%s %s the curtain", self._name_of(by), "closed" if is_closed else "is opening")
        return number

    def receive_microphone(self, by: str, *, is_off: bool) -> int:
        """Switch the room's microphone off within this call, or begin to switch it on; as `receive_curtain`."""
        with self._stepping() as at:
            number = self._rules.receive_microphone(at, is_off=is_off)
        logger.info("%s %s the microphone", self._name_of(by), "switched off" if is_off else "is switching on")
        return number

    def receive_guests(self, *, may_hear: bool) -> int:
        """Whether guests may hear the room; returns the number for `saved`. Raises VisitorError."""
        with self._stepping() as at:
            return self._rules.receive_guests(at, may_hear=may_hear)

    def receive_answer(self, person: str, answer: Answer) -> int:
        """The room's answer to a person; returns the number for `saved`. Raises VisitorError."""
        self._require_known(person)
        with self._stepping() as at:
            return self._rules.receive_answer(at, person, answer)

    def receive_welcome(self, person: str, welcome: Welcome) -> int:
        """Whether a person has to knock; returns the number for `saved`. Raises VisitorError."""
        self._require_known(person)
        with self._stepping() as at:
            return self._rules.receive_welcome(at, person, welcome)

    def receive_quiet(self, spans: Sequence[QuietSpan]) -> int:
        """The quiet hours; returns the number for `saved`. Raises VisitorError."""
        with self._stepping() as at:
            return self._rules.receive_quiet(at, spans)

    async def saved(self, number: int) -> bool:
        """Wait until the disk has taken a decision, or not; returns whether a restart would know all decisions."""
        task = self._saves.get(number)
        if task is not None:
            await asyncio.wait({task})
        return self.is_saved

    # Private.

    def _moment(self) -> Moment:
        utc_s = self._utc()
        return Moment(self._clock(), utc_s, self._local(utc_s))

    def _is_known(self, person: str) -> bool:
        programs = {session.person for session in self._invitations.programs.all()}
        return person in programs or self._invitations.people.find(person) is not None

    def _person_of(self, session_id: str) -> str:
        """The name of the program that has this session; else the session's own name."""
        programs = {session.id: session.person for session in self._invitations.programs.all()}
        return programs.get(session_id, session_id)

    def _require_known(self, person: str) -> None:
        if not self._is_known(person):
            raise VisitorError(Refusal.BAD_MESSAGE, "this person is not known here")

    def _name_of(self, person: str) -> str:
        return self._invitations.people.name_of(person)

    @contextmanager
    def _stepping(self) -> Iterator[Moment]:
        """Pass one event to the rules at the yielded moment, and carry out the effects.

        Any exception but VisitorError is kept as the failure that `run` raises, and from then on all is withheld.
        """
        if self._failure is not None:
            self._close_after_failure()
            raise InternalError("the room's rules have failed") from self._failure
        try:
            yield self._moment()
            self._carry_out_all()
        except VisitorError:
            self._carry_out_all()
            raise
        except Exception as error:
            self._failure = error
            self._close_after_failure()
            raise InternalError("the room's rules have failed") from error
        finally:
            self._wake.set()

    def _carry_out_all(self) -> None:
        """Carry out all effects, in order. What one of them causes is carried out after those that wait."""
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while effects := self._rules.tick(self._moment()):
                for effect in effects:
                    self._carry_out(effect)
        finally:
            self._is_stepping = False

    def _carry_out(self, effect: Effect) -> None:
        try:
            self._do(effect)
        except Exception:
            logger.exception("the room's %s failed", type(effect).__name__)
            if isinstance(effect, Park):
                self._rules.receive_fault(self._moment(), Fault.PARK, is_failed=True)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Withhold():
                self._invitations.receive_withheld_changed()
                _is_done(self._voice_rules_changed, "cutting the voice")
            case Cut():
                self._cut()
            case Park():
                if self._parking is not None:
                    self._parking.start()
            case Uncover():
                self._uncover()
            case Save():
                self._saves[effect.number] = self._start(self._save(effect), "room save")
            case Chime(person=person):
                self._record(Knocked(person))
            case Answered(person=person, answer=answer):
                self._record(KnockAnswered(person, answer))
            case Tell():
                self._tell()
            case _:
                assert_never(effect)

    def _uncover(self) -> None:
        if self._parking is not None:
            self._parking.cancel()
        self._stage.uncover()

    def _cut(self) -> None:
        is_covered = _is_done(self._stage.cover, "covering the stage")
        if self._parking is None or not self._parking.is_running:  # then nobody drives it
            _is_done(self._stop_head, "stopping the head")
        self._start(self._cut_outputs(is_covered=is_covered), "cut")

    async def _cut_outputs(self, *, is_covered: bool) -> None:
        """Cut what is not the stage's; a failure is shown until the next cut succeeds."""
        results = await asyncio.gather(*(self._cut_output(output) for output in self._outputs))
        with self._stepping() as at:
            self._rules.receive_fault(at, Fault.MEDIA, is_failed=not (is_covered and all(results)))

    async def _cut_output(self, output: MediaOutput) -> bool:
        try:
            async with timeout(CUT_TIMEOUT_S):
                await output.cut()
        except Exception:
            logger.exception("%s could not be cut", output.name)
            return False
        return True

    async def _save(self, save: Save) -> None:
        error: Exception | None = None
        try:
            await self._store.save(save.state)
        except StoreError as failure:
            error = failure
            logger.warning("what the room has decided is not saved: %s", failure)
        except Exception as failure:
            error = failure
            logger.exception("what the room has decided is not saved")
        with self._stepping() as at:
            if error is None:
                self._rules.receive_saved(at, save.number)
            else:
                self._rules.receive_save_failed(at, save.number)
        del self._saves[save.number]

    def _close_after_failure(self) -> None:
        """After a bug in the rules nobody knows what they permit. Each step is done though another one fails."""
        _is_done(self._invitations.receive_withheld_changed, "withholding rights")
        _is_done(self._voice_rules_changed, "cutting the voice")
        _is_done(self._stage.cover, "covering the stage")
        _is_done(self._stop_head, "stopping the head")

    def _stop_head(self) -> None:
        self._head.receive_stop(STOPPER)

    def _start(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _is_done(step: Callable[[], None], what: str) -> bool:
    """Do one step of closing; a failure is logged, and the next step follows."""
    try:
        step()
    except Exception:
        logger.exception("%s failed", what)
        return False
    return True
