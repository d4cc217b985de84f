"""Logs who came in, watched, drove, stopped the head and left, at INFO."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from belvedere.events import (
    DriverChanged,
    Event,
    HoldCut,
    RightsChanged,
    SessionEnded,
    SessionOpened,
    SessionRestored,
    StillTaken,
    StopRequested,
    TalkBegan,
    TalkEnded,
    ViewerJoined,
    ViewerLeft,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _View:
    """One picture on a page: by how many connections it is sent, and how long those that ended have lasted."""

    connections: int = 0
    watched_s: float = 0.0


def _name(event: ViewerJoined | ViewerLeft) -> tuple[str, str]:
    return event.session, event.view or event.viewer


class EventLog:
    """A listener for events. It stores the person of each open session: events of viewers name only the session.

    A page that changes from one way of sending the picture to another goes on watching.
    """

    def __init__(self) -> None:
        self._people: dict[str, str] = {}
        self._views: dict[tuple[str, str], _View] = {}  # by session and view, of those that somebody watches

    def receive(self, event: Event) -> None:
        """Log one line, except for events that are too frequent or are logged by their own package."""
        match event:
            case SessionOpened(session=session, person=person) | SessionRestored(session=session, person=person):
                self._people[session] = person
                how = "came in" if isinstance(event, SessionOpened) else "may come in again after the restart"
                logger.info("%s %s (session %s)", person, how, session)
            case SessionEnded(session=session, person=person, reason=reason):
                self._people.pop(session, None)
                logger.info("%s left (session %s, %s)", person, session, reason)
            case RightsChanged(session=session, person=person, rights=rights):
                logger.info("%s may now do: %s (session %s)", person, rights or "nothing", session)
            case ViewerJoined(session=session, way=way):
                self._views.setdefault(_name(event), _View()).connections += 1
                logger.info("%s watches by %s (session %s)", self._people.get(session, "somebody"), way, session)
            case ViewerLeft():
                self._receive_viewer_left(event)
            case TalkBegan(session=session, person=person):
                logger.info("%s talks to the room (session %s)", person, session)
            case TalkEnded(session=session, person=person, talked_s=talked_s):
                logger.info("%s stopped talking after %.0f s (session %s)", person, talked_s, session)
            case StillTaken(session=session, person=person):
                logger.info("%s took a still (session %s)", person, session)
            case _:
                self._receive_of_head(event)

    def _receive_viewer_left(self, event: ViewerLeft) -> None:
        view = self._views.get(_name(event), _View(connections=1))
        view.connections -= 1
        view.watched_s += event.watched_s
        if view.connections > 0:
            return
        self._views.pop(_name(event), None)
        person = self._people.get(event.session, "somebody")
        logger.info("%s stopped watching after %.0f s (session %s)", person, view.watched_s, event.session)

    def _receive_of_head(self, event: Event) -> None:
        match event:
            case DriverChanged(session=None, epoch=epoch):
                logger.info("nobody drives (lease %d)", epoch)
            case DriverChanged(session=session, person=person, epoch=epoch):
                logger.info("%s drives (lease %d, connection %s)", person, epoch, session)
            case StopRequested(session=session, person=None):  # no person's: the curtain's
                logger.info("the %s stopped the head", session)
            case StopRequested(session=session, person=person):
                logger.info("%s stopped the head (connection %s)", person, session)
            case HoldCut(session=session, code=code, axis=axis):
                logger.info("a hold was cut: %s, %s (connection %s)", code, axis or "both axes", session)
            case _:
                pass
