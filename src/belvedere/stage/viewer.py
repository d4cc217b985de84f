"""One viewer, by whichever way, and how far it has come."""

from __future__ import annotations

import enum
import re
import secrets
from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.stage.hub import Subscriber
from belvedere.stage.keyframe_requests import ViewerRequests
from belvedere.stage.phases import ViewerPhase

if TYPE_CHECKING:
    import asyncio

    from belvedere.stage.video_way import ViewerConnection


_VIEW = re.compile(r"[A-Za-z0-9_-]{0,64}")


class ViewerRole(enum.StrEnum):
    """What a viewer is to the stage.

    Attributes:
        VIEWER: somebody who is sent our frames.
        PARTICIPANT: somebody who watches by a service that distributes the picture: counted, reported and ended as a
            viewer, but sent nothing by us.
        PUBLISHER: a connection that sends our frames to such a service: not counted, nobody's place, and no event.
    """

    VIEWER = "viewer"
    PARTICIPANT = "participant"
    PUBLISHER = "publisher"


class LinkReport(NamedTuple):
    """How well the picture gets through to one viewer; what is not known is None. It may say anything."""

    capacity_bits_per_s: float | None = None
    loss: float | None = None
    round_trip_s: float | None = None


def is_view(name: str) -> bool:
    """Whether a client may name its view so (`Stage.admit`); "" stands for none."""
    return _VIEW.fullmatch(name) is not None


class ViewerListener(Protocol):
    """The stage, as a viewer sees it."""

    def receive_connecting(self, viewer: Viewer) -> None:
        """The viewer will be connected soon."""
        ...

    def receive_connected(self, viewer: Viewer) -> None:
        """The viewer is connected."""
        ...

    def receive_ended(self, viewer: Viewer) -> None:
        """The viewer's connection ended, or was never made."""
        ...

    def receive_request(self, viewer: Viewer) -> None:
        """The viewer lost the picture."""
        ...

    def receive_report(self, viewer: Viewer, report: LinkReport) -> None:
        """The viewer's connection told how well the picture gets through."""
        ...


class Viewer:
    """One viewer. The way that admitted it reports what happens; every report may come late, or twice.

    Attributes:
        id: names the viewer, and cannot be guessed.
        owner: the session that watches.
        person: whose session that is; the session itself, where that is not known.
        way: the name of the way.
        view: identifies what the viewer sees by up to two ways at a time, among those of all owners.
        role: whether somebody watches, and whether frames are sent.
        subscriber: the frames to send, from `receive_connected` on.
        connection: what the stage cuts and closes; the way sets it as soon as there is something to close.
        requests, phase, watching_since_s, timer: the stage's.
    """

    def __init__(
        self,
        owner: str,
        way: str,
        listener: ViewerListener,
        view: str = "",
        person: str = "",
        *,
        role: ViewerRole = ViewerRole.VIEWER,
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner = owner
        self.person = person or owner
        self.way = way
        self.view = (owner, view or self.id)
        self.role = role
        self.subscriber = Subscriber()
        self.connection: ViewerConnection | None = None
        self.requests = ViewerRequests()
        self.phase = ViewerPhase.JOINING
        self.watching_since_s = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self._listener = listener

    @property
    def is_ended(self) -> bool:
        """Whether the stage has ended this viewer: nothing more is to be set up or sent."""
        return self.phase is ViewerPhase.ENDED

    def receive_connecting(self) -> None:
        """The connection is being established: the picture is turned on, and waits for it for a bounded time."""
        self._listener.receive_connecting(self)

    def receive_connected(self) -> None:
        """The connection is established: frames come from now on."""
        self._listener.receive_connected(self)

    def receive_ended(self) -> None:
        """The connection ended, or will never be established."""
        self._listener.receive_ended(self)

    def report_capacity(self, bits_per_s: float) -> None:
        """So much arrives, or would, by an estimate of the viewer or of its connection; repeat it while it holds."""
        self._listener.receive_report(self, LinkReport(capacity_bits_per_s=bits_per_s))

    def report_loss(self, share: float) -> None:
        """This share of what was sent since the last report was lost: 0 to 1."""
        self._listener.receive_report(self, LinkReport(loss=share))

    def report_round_trip(self, seconds: float) -> None:
        """A packet and its acknowledgement took so long."""
        self._listener.receive_report(self, LinkReport(round_trip_s=seconds))

    def request_idr(self) -> None:
        """The viewer lost the picture; it is sent an IDR as soon as the bounds for all viewers allow it."""
        self._listener.receive_request(self)
