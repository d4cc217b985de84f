"""A publisher to Amazon IVS with hand-written fakes around it: no network, no aiortc, no thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.stage.fakes import StageRig

from belvedere.secret import Secret
from belvedere.stage.ivs.publisher import Publisher
from belvedere.stage.ivs.token_source import ParticipantToken
from belvedere.stage.ivs.whip_client import WhipError, WhipSession
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.direct.peer import PeerListener
    from belvedere.stage.ivs.fitted_frames import FittedFrames

ANSWER = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:1 1 udp 1 192.0.2.7 50000 typ host\r\n"


class FakePublishingPeer:
    """A connection that connects by itself once it has the answer, unless a test says otherwise."""

    def __init__(self, frames: FittedFrames, listener: PeerListener, *, connects: bool) -> None:
        self.frames, self.listener, self._connects = frames, listener, connects
        self.is_cut = self.is_closed = False
        self.answer = ""

    async def offer(self) -> str:
        return "the offer"

    async def accept(self, answer: str) -> None:
        self.answer = answer
        if self._connects:
            self.listener.receive_connected()

    def cut(self) -> None:
        self.is_cut = True

    async def close(self) -> None:
        self.is_closed = True


class FakeIvs:
    """Tokens, and a WHIP server."""

    def __init__(self) -> None:
        self.tokens = 0
        self.whip_url: str | None = None
        self.offers: list[tuple[str, str, str]] = []
        self.ended: list[str] = []
        self.error: Exception | None = None

    def load(self) -> None:
        """Nothing is heavy."""

    async def publish_token(self) -> ParticipantToken:
        self.tokens += 1
        return ParticipantToken(f"camera-{self.tokens}", Secret(f"token-{self.tokens}"), self.whip_url, 0.0)

    async def viewer_token(self) -> ParticipantToken:
        raise AssertionError("a publisher asks for no viewer's token")

    def publish(self, url: str, token: Secret, offer: str) -> WhipSession:
        self.offers.append((url, token.reveal(), offer))
        if self.error is not None:
            raise self.error
        return WhipSession(f"https://ivs.example/{token.reveal()}", ANSWER)

    def end(self, session: WhipSession, _token: Secret) -> None:
        self.ended.append(session.url)


class PublisherRig:
    """A stage and its publisher. `threads` are run at once, or kept for the test to run."""

    def __init__(self) -> None:
        self.stage_rig = StageRig()
        self.stage = self.stage_rig.stage
        self.ivs = FakeIvs()
        self.peers: list[FakePublishingPeer] = []
        self.connects = True
        self.billed: list[bool] = []
        self.runs_threads = True
        self.threads: list[Callable[[], None]] = []
        self.publisher = Publisher(
            self.stage,
            StageOptions(),
            self.ivs,
            clock=self._now,
            create_peer=self._peer,
            whip=self.ivs,
            receive_publishing=self.billed.append,
            chance=lambda: 0.0,
            start=self._start,
        )

    @property
    def open_peers(self) -> list[FakePublishingPeer]:
        """The connections that are not closed."""
        return [peer for peer in self.peers if not peer.is_closed]

    def is_publishing(self) -> bool:
        """Whether the publisher says so."""
        return self.publisher.is_publishing

    def is_closed(self, number: int) -> bool:
        """Whether this connection is closed, counted from 0."""
        return self.peers[number].is_closed

    def refuse(self, status: int = 503) -> None:
        """From now on the server refuses offers."""
        self.ivs.error = WhipError(f"HTTP status {status}", status)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _peer(
        self,
        _options: StageOptions,
        frames: FittedFrames,
        _origin: int,
        _request_idr: Callable[[], None],
        listener: PeerListener,
    ) -> FakePublishingPeer:
        self.peers.append(FakePublishingPeer(frames, listener, connects=self.connects))
        return self.peers[-1]

    def _start(self, run: Callable[[], None]) -> None:
        if self.runs_threads:
            run()
        else:
            self.threads.append(run)
