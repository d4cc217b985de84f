"""Runs the room's rules for tests, which set the time; saves are done at once, unless a test keeps them waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.privacy.core import Access, Doing, Privacy
from belvedere.privacy.effects import Effect, Save
from belvedere.privacy.hours import LocalTime
from belvedere.privacy.moment import Moment
from belvedere.privacy.state import RoomState

if TYPE_CHECKING:
    from belvedere.privacy.words import AccessState

EPOCH_S = 1_796_083_200.0  # a Monday's midnight by the room's clock, and a whole minute
NEVER_CLOSED = RoomState()


class PrivacyRig:
    """The rules on a Monday at noon; what the room decided before is open, unless `saved` says otherwise.

    `effects` are those since they were last taken; `is_saving` says whether saves are done at once.
    """

    def __init__(
        self, saved: RoomState | None = NEVER_CLOSED, *, ask_first: bool = False, is_loaded: bool = True
    ) -> None:
        self.passed_s = 12 * 3600.0
        self.core = Privacy(ask_first=ask_first)
        self.saves: list[Save] = []
        self.is_saving = True
        self.effects: list[Effect] = []
        if is_loaded:
            self.core.receive_loaded(self.at, saved)
            self.tick()
            self.effects.clear()

    @property
    def at(self) -> Moment:
        """This moment."""
        days, seconds = divmod(self.passed_s, 86_400)
        return Moment(1000 + self.passed_s, EPOCH_S + self.passed_s, LocalTime(int(days) % 7, seconds / 60))

    def tick(self) -> None:
        """Take the effects, and carry out the saves."""
        effects = self.core.tick(self.at)
        self.effects += effects
        self.saves += [effect for effect in effects if isinstance(effect, Save)]
        if self.is_saving and self.saves:
            save = self.saves.pop(0)
            self.core.receive_saved(self.at, save.number)
            self.tick()

    def wait(self, seconds: float) -> None:
        """Let time pass, and do what is due when it is due."""
        end_s = self.passed_s + seconds
        while (due_s := self.passed_s + self.core.deadline(self.at) - self.at.now) <= end_s:
            self.passed_s = max(due_s, self.passed_s)
            self.tick()
        self.passed_s = end_s
        self.tick()

    def fail_save(self) -> None:
        """The oldest save fails."""
        self.core.receive_save_failed(self.at, self.saves.pop(0).number)
        self.tick()

    def finish_save(self) -> None:
        """The oldest save is done."""
        self.core.receive_saved(self.at, self.saves.pop(0).number)
        self.tick()

    def curtain(self, *, is_closed: bool) -> None:
        """The resident closes or opens the curtain."""
        self.core.receive_curtain(self.at, "mei", is_closed=is_closed)
        self.tick()

    def microphone(self, *, is_off: bool) -> None:
        """The resident switches the microphone off or on."""
        self.core.receive_microphone(self.at, is_off=is_off)
        self.tick()

    def hears(self, person: str = "ann", *, is_guest: bool = False) -> bool:
        """Whether a person may hear the room."""
        return self.core.may_hear(self.at, person, is_guest=is_guest)

    def access(self, person: str = "ann") -> AccessState:
        """What a person may do."""
        return self.access_of(person).state

    def access_of(self, person: str = "ann") -> Access:
        """Likewise, with its end."""
        return self.core.access_of(self.at, person)

    def present(self, *people: str) -> None:
        """These look, and nobody else."""
        self.core.receive_presence(self.at, dict.fromkeys(people, Doing(looks=True)))
        self.tick()

    def is_unsaved(self) -> bool:
        """Whether a restart would not know everything."""
        return not self.core.is_saved

    def take_effects(self) -> list[str]:
        """The names of the effects since the last call."""
        names = [type(effect).__name__ for effect in self.effects]
        self.effects.clear()
        return names
