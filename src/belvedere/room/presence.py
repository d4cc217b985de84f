"""Who looks, drives, hears and talks now, by the events of sessions, viewers and the lease, and by the voice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.events import DriverChanged, SessionEnded, SessionOpened, SessionRestored, ViewerJoined, ViewerLeft
from belvedere.privacy.core import Doing

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event


class Voices(msgspec.Struct, frozen=True):
    """Who hears the room, who talks to it with an open microphone, and whose voice it hears at this moment."""

    hearing: frozenset[str] = frozenset()
    talking: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()


NO_VOICES: Final = Voices()


class Presence:
    """Follows the events. A person may look by several viewers.

    Args:
        is_person: whether the driver of this name is somebody to be shown, and no part of the program.
        person_of: whose session this is, where no event has said that it began: a program's.
    """

    def __init__(self, is_person: Callable[[str], bool], person_of: Callable[[str], str]) -> None:
        self._is_person = is_person
        self._person_of = person_of
        self._people: dict[str, str] = {}  # by session
        self._viewers: dict[str, str] = {}
        self._driver: str | None = None
        self._voices = NO_VOICES

    def receive(self, event: Event) -> bool:
        """Follow one event; returns whether `doing` may be another."""
        match event:
            case SessionOpened(session=session, person=person) | SessionRestored(session=session, person=person):
                self._people[session] = person
                return False
            case SessionEnded(session=session):
                self._people.pop(session, None)
                return False
            case ViewerJoined(viewer=viewer, session=session):
                self._viewers[viewer] = self._people.get(session) or self._person_of(session)
            case ViewerLeft(viewer=viewer):
                self._viewers.pop(viewer, None)
            case DriverChanged(person=person):
                self._driver = person if person is not None and self._is_person(person) else None
            case _:
                return False
        return True

    def receive_voices(self, voices: Voices) -> bool:
        """Who hears and talks now; returns whether `doing` may be another."""
        before, self._voices = self._voices, voices
        return before != voices

    def doing(self) -> dict[str, Doing]:
        """What each person does who looks, drives, hears or talks."""
        looking, voices = set(self._viewers.values()), self._voices
        driving = set() if self._driver is None else {self._driver}
        return {
            person: Doing(
                looks=person in looking,
                drives=person in driving,
                hears=person in voices.hearing,
                talks=person in voices.talking,
                is_heard=person in voices.heard,
            )
            for person in looking | driving | voices.hearing | voices.talking
        }
