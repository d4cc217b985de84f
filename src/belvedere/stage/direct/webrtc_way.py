"""Watching by WebRTC, as the answering side of WHEP: one of the stage's ways to send the picture."""

from __future__ import annotations

import asyncio
import functools
import secrets
import time
from typing import TYPE_CHECKING

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.answer import RTP_WRAP, Answer, CaptureClock
from belvedere.stage.direct.offer import Offer, read_offer
from belvedere.stage.direct.peer import ViewerSound
from belvedere.stage.direct.setup_queue import SetupQueue
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.memory_tuning import permanent_objects, reduce_memory
from belvedere.stage.options import ANSWER_TIMEOUT_S, SET_UPS_APART_S
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.direct.peer import PeerFactory
    from belvedere.stage.options import IceServer, StageOptions
    from belvedere.stage.stage import Stage
    from belvedere.stage.viewer import Viewer
    from belvedere.stage.voice.voice import Voice


def load_peers(network: ViewerNetwork) -> PeerFactory:
    """Load aiortc and FFmpeg: 50 MiB and 0.25 s, so it belongs in a thread. Raises OwnerError."""
    with permanent_objects():
        reduce_memory()
        from belvedere.stage.direct.aiortc_peer import AiortcPeer  # noqa: PLC0415 (aiortc is heavy)
        from belvedere.stage.direct.rtp_payloads import SharedPayloads  # noqa: PLC0415 (likewise)
    return functools.partial(AiortcPeer, payloads=SharedPayloads(), network=network)


class WebRtc:
    """Answers viewers' offers; implements `ways.VideoWay`.

    Args:
        stage: admits the viewers and has the frames.
        clock: the server's monotonic clock, the same as the stage's.
        create_peer: creates connections; None for aiortc's, imported at first use.
        network: what the connections share; None for what the options say.
        voice: the room's sound and the visitors'; None where there is none.
    """

    name = "WebRTC"

    def __init__(
        self,
        stage: Stage,
        options: StageOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
        create_peer: PeerFactory | None = None,
        network: ViewerNetwork | None = None,
        voice: Voice | None = None,
    ) -> None:
        self._stage = stage
        self._voice = voice
        self._options = options
        self._clock = clock
        self._create_peer = create_peer
        self._network = network or ViewerNetwork.of(options, clock)
        self._set_ups = SetupQueue(SET_UPS_APART_S)
        stage.add_way(self)

    def load(self) -> None:
        """Import aiortc, for the first viewer."""
        self._loaded()

    async def ice_servers_of(self, owner: str) -> tuple[IceServer, ...]:
        """The ICE servers for the page of a session, with credentials that are valid now; waits for a bounded time."""
        return await self._network.servers.for_page(owner)

    def newest_ice_servers_of(self, owner: str) -> tuple[IceServer, ...]:
        """The same, without waiting: there may be no credentials yet."""
        return self._network.servers.newest(owner)

    async def answer(self, offer_sdp: str, owner: str, view: str = "") -> Answer:
        """Add a viewer: answer the WHEP offer of the session `owner`; for `view` see `Stage.admit`.

        Pictures follow once the viewer has connected. Connections are set up one after the other, some time apart, so
        that any number of offers leaves time on the event loop for driving.

        Raises StageError (BAD_OFFER, NO_COMMON_CODEC, TOO_MANY_VIEWERS, NO_PICTURE).
        """
        offer = read_offer(offer_sdp, self._stage.profile_level_id, has_voice=self._voice is not None)
        viewer = self._stage.admit(owner, self, view)
        try:
            async with timeout(ANSWER_TIMEOUT_S):
                answer = await self._answer(viewer, offer)
        except TimeoutError as error:
            viewer.receive_ended()
            raise StageError(StageReason.NO_PICTURE, "the answer took too long") from error
        except BaseException:  # including cancellation, when the request ends
            viewer.receive_ended()
            raise
        if viewer.is_ended:
            raise StageError(StageReason.NO_PICTURE, "the connection was ended before it was established")
        viewer.receive_connecting()
        return answer

    async def _answer(self, viewer: Viewer, offer: Offer) -> Answer:
        create_peer = await asyncio.to_thread(self._loaded) if self._create_peer is None else self._create_peer
        if not await self._set_ups.take(lambda: not viewer.is_ended):  # a peer made now would never be closed
            raise StageError(StageReason.NO_PICTURE, "the connection was ended before it was established")
        origin = secrets.randbelow(RTP_WRAP)
        sound = None
        if self._voice is not None and offer.audio is not None:
            sound = ViewerSound(self._voice.join(viewer.owner), offer.audio)
        peer = create_peer(self._options, viewer.subscriber, origin, viewer.request_idr, viewer, sound=sound)
        viewer.connection = peer
        await asyncio.sleep(0)  # creating the peer took milliseconds: let other tasks run before the answer
        sdp = offer.complete(await peer.answer(offer.video))
        return Answer(viewer.id, sdp, CaptureClock.reading(self._clock(), origin))

    def _loaded(self) -> PeerFactory:
        if self._create_peer is None:
            self._create_peer = load_peers(self._network)
        return self._create_peer
