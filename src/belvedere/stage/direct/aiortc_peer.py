"""One viewer's WebRTC connection, made with aiortc: the answering side of WHEP."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import OperationError
from aiortc.mediastreams import MediaStreamTrack

from belvedere.errors import InternalError, StageError, StageReason
from belvedere.stage.direct.aiortc_patches import HISTORY_PACKETS, PassThroughSender
from belvedere.stage.direct.retransmission import RetransmissionBudget
from belvedere.stage.direct.viewer_feedback import ViewerFeedback, bound_transport
from belvedere.stage.direct.viewer_ice import ViewerLimits, bound_ice
from belvedere.stage.direct.viewer_turn import cut_relays
from belvedere.stage.direct.viewer_voice import ViewerVoice
from belvedere.stage.options import CLOSE_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.direct.peer import PeerListener, ViewerSound
    from belvedere.stage.direct.rtp_payloads import SharedPayloads
    from belvedere.stage.direct.viewer_network import ViewerNetwork
    from belvedere.stage.hub import Subscriber
    from belvedere.stage.options import StageOptions

ACCEPTED = ("video/H264", "video/rtx")
ENDED_STATES = ("failed", "closed")

logger = logging.getLogger(__name__)


class _PassThroughTrack(MediaStreamTrack):
    """A placeholder: aiortc needs a track, but the encoded frames go directly to the sender."""

    def __init__(self, kind: str = "video") -> None:
        self.kind = kind
        super().__init__()

    async def recv(self) -> None:  # type: ignore[override]  # never called, so there is no frame type to return
        raise InternalError("the sender does not pass frames through")


class AiortcPeer:
    """A WebRTC connection to one viewer; implements `peer.Peer`."""

    def __init__(
        self,
        options: StageOptions,
        subscriber: Subscriber,
        origin: int,
        request_idr: Callable[[], None],
        listener: PeerListener,
        *,
        sound: ViewerSound | None = None,
        payloads: SharedPayloads,
        network: ViewerNetwork,
    ) -> None:
        self._listener = listener
        self._is_ended = False
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)  # `network` knows the servers
        )
        self._connection.on("connectionstatechange", self._receive_state)
        self._transceiver = self._connection.addTransceiver(_PassThroughTrack(), direction="sendonly")
        sender = self._transceiver.sender
        clock = asyncio.get_running_loop().time
        self._sender = PassThroughSender(sender, subscriber, origin, payloads, clock=clock)
        budget = RetransmissionBudget(bitrate_kbps=options.bitrate_kbps, fps=options.fps, packets=HISTORY_PACKETS)
        bound_transport(sender.transport, ViewerFeedback(sender, budget, request_idr, clock, listener))
        self._ice = sender.transport.transport
        self._voice: ViewerVoice | None = None
        if sound is not None:
            self._voice = ViewerVoice(self._connection.addTransceiver(_PassThroughTrack("audio")), sound, clock)
        bound_ice(self._ice, network, ViewerLimits if self._voice is None else self._voice.limits)

    async def answer(self, offer: str) -> str:
        """Accept an offer (`Offer.video`); returns the answer, which has all our addresses.

        Yields to the event loop between its steps, which take a millisecond each.
        Raises StageError (BAD_OFFER, NO_COMMON_CODEC; TOO_MANY_VIEWERS if there is no free port; NO_PICTURE if the
        connection is closed meanwhile).
        """
        # Before setRemoteDescription, which chooses the codec: otherwise our H.264 would be labelled as another one.
        codecs = RTCRtpSender.getCapabilities("video").codecs
        self._transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType in ACCEPTED])
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await asyncio.sleep(0)
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except StageError:
            raise
        except OperationError as error:
            raise StageError(StageReason.NO_COMMON_CODEC) from error
        except Exception as error:  # aiortc's parser has no error type: bad SDP raises any built-in exception
            raise StageError(StageReason.NO_PICTURE if self._is_ended else StageReason.BAD_OFFER) from error
        return self._connection.localDescription.sdp

    def cut(self) -> None:
        """Send nothing more of the frames that were taken from the subscribers."""
        self._sender.cut()
        if self._voice is not None:
            self._voice.cut()
        cut_relays(self._ice)

    async def close(self) -> None:
        """Close the connection and free its resources, within `CLOSE_TIMEOUT_S`; never raises."""
        self._is_ended = True
        self._leave()
        closing = asyncio.ensure_future(self._connection.close())
        done, _ = await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT_S)
        if not done:
            closing.cancel()
            logger.warning("a viewer's connection did not close within %g s and is abandoned", CLOSE_TIMEOUT_S)
        elif error := closing.exception():
            logger.warning("could not close a viewer's connection cleanly: %r", error)

    def _receive_state(self) -> None:
        state = self._connection.connectionState
        logger.debug("a viewer's connection changed to %s", state)
        if self._is_ended:
            return
        if state == "connected":
            if self._voice is not None:
                self._voice.receive_connected()
            self._listener.receive_connected()
        elif state in ENDED_STATES:
            self._is_ended = True
            self._leave()
            self._listener.receive_ended()

    def _leave(self) -> None:
        if self._voice is not None:
            self._voice.leave()
