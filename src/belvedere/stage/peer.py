"""A connection to one viewer as the stage sees it: the seam to aiortc, so that the stage is tested without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.hub import Subscriber
    from belvedere.stage.options import StageOptions


class PeerListener(Protocol):
    """Told, from the event loop, how a connection fares; not told of an end that `Peer.close` brought about."""

    def receive_connected(self) -> None:
        """Frames may be sent."""
        ...

    def receive_ended(self) -> None:
        """The viewer went, or was never reached; called at most once, and nothing follows."""
        ...


class Peer(Protocol):
    """A connection to one viewer, from its offer to its end."""

    async def answer(self, offer: str) -> str:
        """Take an SDP offer to receive one picture and nothing else, return the answer; once.

        Raises StageError (BAD_OFFER, NO_COMMON_CODEC; NO_PICTURE where it is closed meanwhile).
        """
        ...

    async def close(self) -> None:
        """Let go of everything, within `CLOSE_TIMEOUT_S`; never raises, and may be called at any time."""
        ...


class PeerFactory(Protocol):
    """Makes a connection that sends an outlet's frames."""

    def __call__(
        self,
        options: StageOptions,
        subscriber: Subscriber,
        origin: int,
        request_idr: Callable[[], None],
        listener: PeerListener,
        /,
    ) -> Peer:
        """A peer whose RTP timestamps are `origin` plus the frames' ticks, and which calls `request_idr` on loss."""
        ...
