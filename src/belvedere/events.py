"""Typed events for logs and metrics, in one stream without listeners by default.

Packages record events through a plain callable, so they do not depend on any listener. A listener must not block. If it
raises, the error is logged; the other listeners and the caller of `record` are not affected.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    """Something that happened just now.

    `session` is the name of a login session in the events of access and stage, and the name of a driver's connection (a
    control socket, a program) in those of the head; `person` is the person that it belongs to.
    """


class SessionOpened(Event, frozen=True, tag="session_opened"):
    """A person redeemed an invitation and has a session now."""

    session: str
    person: str


class SessionRestored(Event, frozen=True, tag="session_restored"):
    """A person's session of before the restart goes on."""

    session: str
    person: str


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """A session ended."""

    session: str
    person: str
    reason: str


class RightsChanged(Event, frozen=True, tag="rights_changed"):
    """A session may do other things than before; `rights` are the names of those that it has now, or ""."""

    session: str
    person: str
    rights: str


class PublisherJoined(Event, frozen=True, tag="publisher_joined"):
    """A program publishes the picture from now on."""

    publisher: str


class PublisherEnded(Event, frozen=True, tag="publisher_ended"):
    """A program does not publish the picture any more."""

    publisher: str
    why: str


class ViewerJoined(Event, frozen=True, tag="viewer_joined"):
    """A session began to watch the video; `way` is the transport that sends it.

    `view` is the same for the connections that send one picture of a page, which overlap where it changes its way.
    """

    viewer: str
    session: str
    way: str
    view: str = ""


class ViewerLeft(Event, frozen=True, tag="viewer_left"):
    """A viewer stopped watching, after `watched_s` seconds; `view` is that of its `ViewerJoined`."""

    viewer: str
    session: str
    watched_s: float
    view: str = ""


class Knocked(Event, frozen=True, tag="knocked"):
    """A person asked the room to be let in."""

    person: str


class KnockAnswered(Event, frozen=True, tag="knock_answered"):
    """The room let a person in or not, or nobody answered in time; `answer` is a `privacy.words.Answer`."""

    person: str
    answer: str


class TalkChimed(Event, frozen=True, tag="talk_chimed"):
    """A person is about to talk to the room, for the first time in this visit."""

    person: str


class TalkBegan(Event, frozen=True, tag="talk_began"):
    """The room hears a session's person from now on."""

    session: str
    person: str


class TalkEnded(Event, frozen=True, tag="talk_ended"):
    """The room does not hear a session's person any more, after `talked_s` seconds."""

    session: str
    person: str
    talked_s: float


class StillTaken(Event, frozen=True, tag="still_taken"):
    """A session that watches took a still."""

    session: str
    person: str


class DriverChanged(Event, frozen=True, tag="driver_changed"):
    """The lease has another holder; `session` is None if it is free."""

    epoch: int
    session: str | None
    person: str | None


class StopRequested(Event, frozen=True, tag="stop_requested"):
    """A session asked for a stop, whether it drives or not."""

    session: str
    person: str | None


class HoldCut(Event, frozen=True, tag="hold_cut"):
    """The driver's hold was cut by a fail-safe or by another session; `axis` is None for both."""

    session: str
    code: str
    axis: str | None


class ParkingEnded(Event, frozen=True, tag="parking_ended"):
    """The head was being parked, and is not any more; `end` is an `engine.parking.ParkingEnd`."""

    end: str


class UnitLinkChanged(Event, frozen=True, tag="unit_link_changed"):
    """The link to a unit entered another phase."""

    axis: str
    phase: str
    reason: str | None


class CommandRefused(Event, frozen=True, tag="command_refused"):
    """A session's message was refused; any session can cause this sixty times a second, so do not log each one."""

    session: str
    refusal: str


class EventStream:
    """Passes each event to every listener, in the order in which they subscribed."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call this with every event from now on."""
        self._listeners.append(listener)

    def record(self, event: Event) -> None:
        """Call every listener with this event. Never raises."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener could not process the event %s", event)


def ignore(_event: Event) -> None:
    """Discard the event: the default for packages that were given no stream."""
