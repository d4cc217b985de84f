"""The interface to a viewer's WebRTC connection, so that offers can be tested without aiortc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from belvedere.stage.video_way import ViewerConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.direct.audio_offer import AudioOffer
    from belvedere.stage.hub import Subscriber
    from belvedere.stage.options import StageOptions
    from belvedere.stage.voice.voice import VoiceConnection


class ConnectionListener(Protocol):
    """Called on the event loop when a connection changes, but not for an end that `close` caused."""

    def receive_connected(self) -> None:
        """The other side is connected; frames may flow."""
        ...

    def receive_ended(self) -> None:
        """The connection ended or failed. Called at most once, as the last call."""
        ...


class PeerListener(ConnectionListener, Protocol):
    """What a viewer's connection calls. Reports are what the viewer says, often and whatever it likes."""

    def report_capacity(self, bits_per_s: float) -> None:
        """What the connection carries, by the viewer's estimate."""
        ...

    def report_loss(self, share: float) -> None:
        """This share of the packets since the last report was lost: 0 to 1."""
        ...

    def report_round_trip(self, seconds: float) -> None:
        """A packet and its report took so long, smoothed."""
        ...


@dataclass(frozen=True, slots=True)
class ViewerSound:
    """What a viewer is sent and says.

    Attributes:
        connection: where both come from and go to.
        offer: the accepted audio section.
    """

    connection: VoiceConnection
    offer: AudioOffer


class Peer(ViewerConnection, Protocol):
    """A connection to one viewer, from its offer to its end."""

    async def answer(self, offer: str) -> str:
        """Accept an SDP offer (`Offer.video`); returns the answer. Call it once.

        Raises StageError (BAD_OFFER, NO_COMMON_CODEC; NO_PICTURE if the connection is closed meanwhile).
        """
        ...


class PeerFactory(Protocol):
    """Creates a connection that sends a subscriber's frames."""

    def __call__(
        self,
        options: StageOptions,
        subscriber: Subscriber,
        origin: int,
        request_idr: Callable[[], None],
        listener: PeerListener,
        /,
        *,
        sound: ViewerSound | None,
    ) -> Peer:
        """Create a peer whose RTP timestamps are `origin` plus the frames' ticks; it calls `request_idr` on loss.

        `sound` is there if the offer has audio that is accepted.
        """
        ...
