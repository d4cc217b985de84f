"""What happened, for whoever counts it or writes it down: one stream of typed events, without listeners by default.

Packages record events through a plain callable, so none of them knows who listens. A listener must not wait; one that
fails is logged and hurts neither the others nor whoever recorded the event.
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

    `session` names a login session in the events of access and stage, and a driver's own connection (a control socket,
    a program) in those of the head; `person` is whom it belongs to.
    """


class SessionOpened(Event, frozen=True, tag="session_opened"):
    """Somebody was let in."""

    session: str
    person: str


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """A session is over."""

    session: str
    person: str
    reason: str


class ViewerJoined(Event, frozen=True, tag="viewer_joined"):
    """A session begins to see the picture; `way` is how it is sent."""

    viewer: str
    session: str
    way: str


class ViewerLeft(Event, frozen=True, tag="viewer_left"):
    """A viewer sees the picture no more."""

    viewer: str
    session: str
    watched_s: float


class DriverChanged(Event, frozen=True, tag="driver_changed"):
    """The lease has another holder; no session means that nobody drives."""

    epoch: int
    session: str | None
    person: str | None


class StopRequested(Event, frozen=True, tag="stop_requested"):
    """Somebody pressed stop, driver or not."""

    session: str
    person: str | None


class HoldCut(Event, frozen=True, tag="hold_cut"):
    """The driver's hold was ended by something else than the driver; no axis means both."""

    session: str
    code: str
    axis: str | None


class UnitLinkChanged(Event, frozen=True, tag="unit_link_changed"):
    """The link of a unit entered another phase."""

    axis: str
    phase: str
    reason: str | None


class CommandRefused(Event, frozen=True, tag="command_refused"):
    """What a session sent was refused; anybody with a session can cause it sixty times a second."""

    session: str
    refusal: str


class EventStream:
    """Hands each event to every listener, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call this with every event from now on."""
        self._listeners.append(listener)

    def record(self, event: Event) -> None:
        """Tell every listener. Raises nothing."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener failed on %s", event)


def ignore(_event: Event) -> None:
    """Record nothing: what every package does until it is given a stream."""
