"""A harness around the room's rules: visitors who try everything, a disk that fails, power cuts, and who saw what.

It carries out the effects as the runtime does, and knows independently of the rules what the room has said
(`_closed`, `_muted`, `_justifies`). After every event each visitor tries to look, to hear, to take a still and to
drive; whatever was opened earlier, and not ended by an effect, goes on. `check` then compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.errors import VisitorError
from belvedere.privacy.core import Doing, Privacy
from belvedere.privacy.effects import Cut, Save, Uncover, Withhold
from belvedere.privacy.hours import LocalTime, QuietSpan
from belvedere.privacy.moment import Moment
from belvedere.privacy.state import RoomState
from belvedere.privacy.words import AccessState, Answer, Welcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEOPLE = ("ann", "bo", "owner", "resident")  # nothing here knows a role but for hearing: none is exempt
GUEST = "bo"
RESIDENT = "resident"
EPOCH_S = 1_796_083_200.0
BOOT_S = 1000.0  # of the monotonic clock when the life begins
SILENCE_S, PAUSE_S, GRACE_S = 60.0, 300.0, 300.0  # as the owner was told, not as the rules have it


@dataclass
class Word:
    """What the room said last to one person, and when."""

    yes_at: float | None = None
    no_at: float | None = None
    asked_at: float | None = None
    away_since: float = 0.0


@dataclass
class RoomHarness:
    """One run; every public method but `check` is an event."""

    privacy: type[Privacy] = Privacy
    ask_first: bool = False
    now: float = 0.0
    disk: RoomState | None = None
    met: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.core = self.privacy(ask_first=self.ask_first)
        self.base = self.disk or RoomState()
        self.pending: dict[int, RoomState] = {}
        self.views: set[str] = set()  # ended by a cut, too
        self.drivers: set[str] = set()
        self.hearing: set[str] = set()
        self.away: frozenset[str] = frozenset()
        self.words: dict[str, Word] = {}
        self.is_camera_possible = False
        self._saving: list[Save] = []
        self._opening: int | None = None
        self._unmuting: int | None = None
        self._letting: int | None = None
        self._guests_hear = False
        self._muted = self._is_mute_tapped = False
        self._closed = self._is_tapped = self._is_loaded = self._was_quiet = False
        self._start(self.disk)

    # events

    def curtain(self, *, is_closed: bool) -> None:
        """The room closes or opens its curtain."""
        self._is_tapped = self._is_tapped or (is_closed and not self._is_loaded)
        number = self._tried(lambda: self.core.receive_curtain(self._at, RESIDENT, is_closed=is_closed))
        if is_closed:
            self._closed = True
            self._opening = None
            self._end_visits()
        elif self._closed and self._opening is None and number is not None:
            self._opening = number
        self._step()

    def microphone(self, *, is_off: bool) -> None:
        """The room switches its microphone off or on."""
        self._is_mute_tapped = self._is_mute_tapped or (is_off and not self._is_loaded)
        number = self._tried(lambda: self.core.receive_microphone(self._at, is_off=is_off))
        if is_off:
            self._muted, self._unmuting = True, None
        elif self._muted and self._unmuting is None and number is not None:
            self._unmuting = number
        self._step()

    def guests(self, *, may_hear: bool) -> None:
        """The room says whether guests may hear it."""
        number = self._tried(lambda: self.core.receive_guests(self._at, may_hear=may_hear))
        if number is not None and not may_hear:
            self._guests_hear, self._letting = False, None
        elif number is not None and not self._guests_hear and self._letting is None:
            self._letting = number
        self._step()

    def knock(self, person: str) -> None:
        """A visitor knocks."""
        before = self.core.access_of(self._at, person).state
        try:
            self.core.receive_knock(self._at, person)
        except VisitorError:
            self.met.add("a refusal")
        if before is AccessState.KNOCK:
            self.words[person].asked_at = self.now
        self._step()

    def answer(self, person: str, answer: Answer) -> None:
        """The room answers a person."""
        number = self._tried(lambda: self.core.receive_answer(self._at, person, answer))
        word = self.words[person]
        if answer is Answer.NO:
            word.yes_at, word.no_at, word.asked_at = None, self.now, None
        elif number is not None:
            word.yes_at, word.no_at, word.asked_at = self.now, None, None
            word.away_since = self.now
        self._step()

    def welcome(self, person: str, welcome: Welcome) -> None:
        """The room says whether a person has to knock."""
        if self._tried(lambda: self.core.receive_welcome(self._at, person, welcome)) is not None:
            assert self.core.welcome_of(person) is Welcome.ASKED or welcome is Welcome.ALWAYS
        self._step()

    def quiet(self, spans: Sequence[QuietSpan]) -> None:
        """The room sets its quiet hours."""
        if self._tried(lambda: self.core.receive_quiet(self._at, spans)) is not None:
            assert set(self.core.state.quiet) >= set(spans)
        self._step()

    def finish_save(self) -> None:
        """The disk has taken the oldest of what waits."""
        if self._saving:
            save = self._saving.pop(0)
            self.disk = save.state
            self.core.receive_saved(self._at, save.number)
            self._learn(save)
            self._step()

    def fail_save(self, *, is_done: bool) -> None:
        """The disk fails; perhaps it has taken it all the same."""
        if self._saving:
            save = self._saving.pop(0)
            if is_done:
                self.disk = save.state
            self.core.receive_save_failed(self._at, save.number)
            if save.number in self.pending:
                self._give_up()
            self.met.add("a save failed")
            self._step()

    def cut_power(self, done: int, *, is_readable: bool) -> None:
        """The program is killed when the disk has taken some of what waits, and starts again."""
        for save in self._saving[:done]:
            self.disk = save.state
        self._start(self.disk, is_readable=is_readable)
        self.met.add("a power cut")
        self._step()

    def read_disk(self) -> None:
        """The store can be read now."""
        if not self._is_loaded:
            self._load()
            self._step()

    def stay_away(self, people: Sequence[str]) -> None:
        """These close their pages, and open none until somebody stays away again."""
        self.away = frozenset(people)
        for person in people:
            self._end(person)
        self._step()

    def wait(self, seconds: float) -> None:
        """Time passes; the harness does what is due when it is due."""
        end = self.now + seconds
        for _ in range(10_000):
            due = self.core.deadline(self._at) - BOOT_S
            if due > end:
                break
            self.now = max(self.now, due)
            self._step()
        else:
            raise AssertionError("the deadline is always due")
        self.now = end
        self._step()

    # what must hold

    def check(self) -> None:
        """Nobody got anything that the room had not permitted, and the room may open what it closed."""
        assert not (self.core.is_saved and self._is_loaded) or self.disk == self.core.state, "said to be saved"
        assert self.core.state.is_muted == self._muted, "the microphone is not as the room has switched it"
        if self._closed:
            assert self.core.is_closed, "the curtain is open"
            assert not self.hearing, "somebody hears the room behind the curtain"
            assert not self.views, "somebody looks or hears behind the curtain"
            assert not self.drivers, "somebody drives behind the curtain"
            assert not self.is_camera_possible, "the camera can be turned on behind the curtain"
            self.met.add("closed")
            return
        assert not self.core.is_closed, "the curtain is closed, though nobody closed it"
        assert self.is_camera_possible, "the stage stays covered"
        for person in PEOPLE:
            state = self.core.access_of(self._at, person).state
            assert (person in self.views | self.drivers) <= (state is AccessState.OPEN), f"{person} looks: {state}"
            assert (state is AccessState.OPEN) == self._justifies(person), f"{person}: {state}, {self.words[person]}"
            self.met.add(str(state))
            may_hear = state is AccessState.OPEN and not self._muted and (person != GUEST or self._guests_hear)
            assert (person in self.hearing) <= may_hear, f"{person} hears the room"
            assert self._may_hear(person) == may_hear, f"{person} may hear: {not may_hear}"
            self.met |= {"a guest hears"} if may_hear and person == GUEST else set()
        self.met.add("the microphone is off" if self._muted else "the microphone is on")

    # Private.

    @property
    def _at(self) -> Moment:
        days, seconds = divmod(self.now, 86_400)
        return Moment(BOOT_S + self.now, EPOCH_S + self.now, LocalTime(int(days) % 7, seconds / 60))

    def _start(self, disk: RoomState | None, *, is_readable: bool = True) -> None:
        self.core = self.privacy(ask_first=self.ask_first)
        self._saving = []
        self._closed, self._opening = True, None
        self._muted, self._unmuting = True, None
        self._guests_hear, self._letting = False, None
        self._is_tapped = self._is_mute_tapped = self._is_loaded = self.is_camera_possible = False
        self.views, self.drivers, self.hearing, self.away = set(), set(), set(), frozenset()
        self.words = {person: Word() for person in PEOPLE}
        self.base, self.pending = disk or RoomState(), {}
        self._was_quiet = self._is_quiet
        if is_readable:
            self._load()
        else:
            self.core.receive_load_failed(self._at)
            self.met.add("an unreadable store")
        self._step()

    def _load(self) -> None:
        self.core.receive_loaded(self._at, self.disk)
        self._is_loaded = True
        self.base = self.disk or RoomState()
        self._closed = self._is_tapped or self.base.is_closed
        self._muted = self._is_mute_tapped or self.base.is_muted
        self._guests_hear = self.base.guests_hear
        self._was_quiet = self._is_quiet

    def _tried(self, event: Callable[[], int]) -> int | None:
        """The number of the event's save; None where it was refused."""
        try:
            return event()
        except VisitorError:
            self.met.add("a refusal")
            return None

    def _give_up(self) -> None:
        """Nobody knows what the disk has: what was in force stays, and nothing that waits is permitted."""
        self.base = self.in_force
        self.pending = {}
        self._opening = self._unmuting = self._letting = None

    def _learn(self, save: Save) -> None:
        """The disk has this: it counts unless it was given up, and what waits counts as far as it withholds."""
        if save.number not in self.pending:
            return
        self.base = save.state
        self.pending = {number: state for number, state in self.pending.items() if number > save.number}
        if self._opening is not None and save.number >= self._opening:
            self._closed, self._opening = False, None
            self.met.add("opened")
        if self._unmuting is not None and save.number >= self._unmuting:
            self._muted, self._unmuting = False, None
            self.met.add("switched on")
        if self._letting is not None and save.number >= self._letting:
            self._guests_hear, self._letting = True, None

    @property
    def in_force(self) -> RoomState:
        """Hours and welcomes as far as anything that the room said, and that is not overruled, withholds."""
        default = Welcome.ASKED if self.ask_first else Welcome.ALWAYS
        state = self.base
        for each in self.pending.values():
            state = state.restricted_by(each, default)
        return state

    def _step(self) -> None:
        for effect in self.core.tick(self._at):
            match effect:
                case Withhold():
                    self._end_withheld()
                case Cut():
                    self.views.clear()
                    self.hearing.clear()
                    self.is_camera_possible = False
                case Uncover():
                    self.is_camera_possible = True
                case Save():
                    self._saving.append(effect)
                    self.pending[effect.number] = effect.state
                case _:
                    pass
        self._pass_time()
        self._try_everything()

    def _end_withheld(self) -> None:
        for person in PEOPLE:
            if self.core.access_of(self._at, person).state is not AccessState.OPEN:
                self._end(person)
        self.hearing = {person for person in self.hearing if self._may_hear(person)}

    def _may_hear(self, person: str) -> bool:
        return self.core.may_hear(self._at, person, is_guest=person == GUEST)

    def _try_everything(self) -> None:
        """Everybody tries to get in; who has got in stays until an effect ends it."""
        for person in PEOPLE:
            is_permitted = self.core.access_of(self._at, person).state is AccessState.OPEN
            if person not in self.away and is_permitted and self.is_camera_possible:
                self.views.add(person)
                self.drivers.add(person)
            if person in self.views and self._may_hear(person):
                self.hearing.add(person)
        self.core.receive_presence(self._at, dict.fromkeys(self.views, Doing(looks=True, hears=True)))

    def _end(self, person: str) -> None:
        self.drivers.discard(person)
        self.hearing.discard(person)
        if person in self.views:
            self.views.discard(person)
            self.words[person].away_since = self.now

    def _end_visits(self) -> None:
        for word in self.words.values():
            word.yes_at = word.asked_at = None

    def _pass_time(self) -> None:
        if self._is_quiet and not self._was_quiet:
            self._end_visits()
            self.met.add("quiet hours begin")
        self._was_quiet = self._is_quiet
        for person, word in self.words.items():
            if word.asked_at is not None and self.now >= word.asked_at + SILENCE_S:
                word.no_at, word.asked_at = word.asked_at + SILENCE_S, None
                self.met.add("nobody answered")
            is_here = person in self.views
            if word.yes_at is not None and not is_here and self.now >= word.away_since + GRACE_S:
                word.yes_at = None
                self.met.add("a visit is over")

    @property
    def _is_quiet(self) -> bool:
        minute = (self.now / 60) % (7 * 1440)
        return any(
            (minute - span.weekday * 1440 - span.from_minute) % (7 * 1440)
            < ((span.until_minute - span.from_minute) % 1440 or 1440)
            for span in self.in_force.quiet
        )

    def _justifies(self, person: str) -> bool:
        """Whether what the room has said lets a person in now."""
        word = self.words[person]
        if word.yes_at is not None:
            return True
        if self._is_quiet or word.asked_at is not None:
            return False
        if word.no_at is not None and self.now < word.no_at + PAUSE_S:
            return False
        default = Welcome.ASKED if self.ask_first else Welcome.ALWAYS
        return self.in_force.welcome_of(person, default) is Welcome.ALWAYS
