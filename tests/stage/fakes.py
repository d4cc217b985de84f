"""A stage with hand-written fakes, to test it without aiortc, threads or a camera."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event
    from belvedere.stage.direct.peer import PeerListener, ViewerSound
    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.hub import Subscriber
    from belvedere.stage.producer import ProducerListener
    from belvedere.stage.sources.source import VideoSource

H264 = "a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n"
OFFER = f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\n{H264}a=recvonly\r\n"
ANSWER = "v=0\r\nm=video 40000 UDP/TLS/RTP/SAVPF 97\r\na=sendonly\r\n"
IDR = EncodedFrame(b"", 0.0, 0, is_idr=True)


class FakePeer:
    """A connection that the test controls."""

    def __init__(self, subscriber: Subscriber, request_idr: Callable[[], None], listener: PeerListener) -> None:
        self.subscriber = subscriber
        self.request_idr = request_idr
        self.listener = listener
        self.is_closed = False
        self.cuts = 0
        self.has_loop_turned = False
        asyncio.get_running_loop().call_soon(self._receive_turn)
        self.delay_s = 0.0
        self.error: Exception | None = None

    async def answer(self, offer: str) -> str:
        assert offer.startswith("v=0")
        assert self.has_loop_turned, "other tasks did not run between creating a connection and answering"
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return ANSWER

    def cut(self) -> None:
        self.cuts += 1

    async def close(self) -> None:
        await asyncio.sleep(0.1)
        self.is_closed = True

    def _receive_turn(self) -> None:
        self.has_loop_turned = True


class FakeProducer:
    """A producer that the test controls."""

    def __init__(self, listener: ProducerListener) -> None:
        self.listener = listener
        self.is_on = False
        self.starts = 0
        self.stills = 0
        self.idrs = 0
        self.cuts = 0
        self.abandoned = 0
        self.targets: list[EncodingTarget] = []
        self.silence_s = 0.0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        assert loop is asyncio.get_running_loop()
        self.is_on = True
        self.starts += 1

    def stop(self) -> None:
        self.is_on = False

    def abandon(self) -> None:
        self.abandoned += 1
        self.stop()

    def request_idr(self) -> None:
        self.idrs += 1

    def request_still(self) -> None:
        self.stills += 1

    def set_target(self, target: EncodingTarget) -> None:
        self.targets.append(target)

    def cut(self) -> None:
        self.cuts += 1

    def silent_s(self) -> float:
        return self.silence_s

    def fail(self, error: Exception) -> None:
        """The source fails."""
        self.is_on = False
        self.listener.receive_failure(error)

    async def wait_off(self) -> bool:
        return not self.is_on


class StageRig:
    """A stage with fakes around it."""

    def __init__(self, max_viewers: int = 8, person_of: Callable[[str], str] = str) -> None:
        self.peers: list[FakePeer] = []
        self.producers: list[FakeProducer] = []
        self.counts: list[int] = []
        self.events: list[Event] = []
        self.now_s = 12.5
        self.created_at: list[float] = []
        self.delay_s = 0.0
        self.error: Exception | None = None
        options = StageOptions(max_viewers=max_viewers)
        self.stage = Stage(
            PatternSource,
            options,
            on_viewers=self.counts.append,
            clock=lambda: self.now_s,
            record=self.events.append,
            create_producer=self._producer,
            person_of=person_of,
        )
        self.webrtc = WebRtc(self.stage, options, clock=lambda: self.now_s, create_peer=self._peer)

    @property
    def producer(self) -> FakeProducer:
        return self.producers[0]

    def is_on(self) -> bool:
        return self.producer.is_on

    async def watch(self, owner: str = "ann", view: str = "", way: str = "WebRTC") -> str:
        """A viewer who has connected, by a way of this name; returns the viewer's id."""
        self.webrtc.name = way
        answer = await self.webrtc.answer(OFFER, owner, view)
        self.peers[-1].listener.receive_connected()
        return answer.id

    def _peer(
        self,
        _options: StageOptions,
        subscriber: Subscriber,
        _origin: int,
        request_idr: Callable[[], None],
        listener: PeerListener,
        *,
        sound: ViewerSound | None,  # noqa: ARG002 (the fakes are silent)
    ) -> FakePeer:
        peer = FakePeer(subscriber, request_idr, listener)
        peer.delay_s, peer.error = self.delay_s, self.error
        self.created_at.append(asyncio.get_running_loop().time())
        self.peers.append(peer)
        return peer

    def _producer(
        self,
        _sources: Callable[[], VideoSource],
        _options: StageOptions,
        _clock: Callable[[], float],
        listener: ProducerListener,
    ) -> FakeProducer:
        self.producers.append(FakeProducer(listener))
        return self.producers[-1]
