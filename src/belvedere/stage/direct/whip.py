"""Publishing by WebRTC, as the answering side of WHIP (RFC 9725): one publisher at a time, the newest."""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import StageError, StageReason
from belvedere.events import PublisherEnded, PublisherJoined, ignore
from belvedere.stage.direct.publisher_offer import read_publisher_offer
from belvedere.stage.direct.setup_queue import SetupQueue
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.webrtc_way import load_peers
from belvedere.stage.options import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, SET_UPS_APART_S
from belvedere.stage.sources.published import Publication
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event
    from belvedere.stage.direct.peer import ConnectionListener

MAX_CONNECTING = 2  # a program that tries again may have left one behind

logger = logging.getLogger(__name__)


class PublisherPeer(Protocol):
    """A connection from one publisher (`aiortc_publisher.AiortcPublisher`)."""

    async def answer(self, offer: str) -> str:
        """Accept an SDP offer to send one video; returns the answer. Raises StageError."""
        ...

    def request_idr(self) -> None:
        """Ask the publisher for an IDR."""
        ...

    async def close(self) -> None:
        """Free all resources within a bounded time; never raises."""
        ...


class PublisherPeerFactory(Protocol):
    """Creates a connection from a publisher."""

    def __call__(
        self, publication: Publication, listener: ConnectionListener, clock: Callable[[], float], /
    ) -> PublisherPeer:
        """Create a peer that hands what it receives to the publication."""
        ...


@dataclass(frozen=True, slots=True)
class WhipAnswer:
    """The SDP answer to a publisher's offer; `id` identifies the publisher from then on."""

    id: str
    sdp: str


class _Publisher:
    """One publisher, from its offer to its end; implements `peer.ConnectionListener`."""

    def __init__(self, whip: Whip) -> None:
        self.id = secrets.token_urlsafe(16)
        self.peer: PublisherPeer | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._whip = whip

    def receive_connected(self) -> None:
        self._whip.receive_connected(self)

    def receive_ended(self) -> None:
        self._whip.receive_ended(self, "its connection ended")


class Whip:
    """Answers publishers' offers. Belongs to the event loop.

    Args:
        network: the ports and servers that publishers share with viewers; None for any port and no server.

    Attributes:
        publication: what the newest publisher sends.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        record: Callable[[Event], None] = ignore,
        create_peer: PublisherPeerFactory | None = None,
        network: ViewerNetwork | None = None,
    ) -> None:
        self.publication = Publication(clock)
        self._clock = clock
        self._record = record
        self._create_peer = create_peer
        self._network = network or ViewerNetwork(clock)
        self._set_ups = SetupQueue(SET_UPS_APART_S)
        self._publisher: _Publisher | None = None
        self._connecting: dict[str, _Publisher] = {}  # by id, oldest first
        self._closing: set[asyncio.Task[None]] = set()

    async def publish(self, offer_sdp: str) -> WhipAnswer:
        """Answer a WHIP offer. Once its sender has connected it publishes, and an earlier publisher is ended.

        Raises StageError (BAD_OFFER, NO_COMMON_CODEC, NO_PICTURE).
        """
        offer = read_publisher_offer(offer_sdp)
        publisher = _Publisher(self)
        try:
            async with timeout(ANSWER_TIMEOUT_S):
                create_peer = await self._loaded()
                await self._set_ups.take(lambda: True)
                publisher.peer = create_peer(self.publication, publisher, self._clock)
                sdp = offer.complete(await publisher.peer.answer(offer.video))
        except TimeoutError as error:
            self._close(publisher)
            raise StageError(StageReason.NO_PICTURE, "the answer took too long") from error
        except BaseException:  # including cancellation, when the request ends
            self._close(publisher)
            raise
        if len(self._connecting) >= MAX_CONNECTING:
            self.receive_ended(next(iter(self._connecting.values())), "there were too many")
        self._connecting[publisher.id] = publisher
        publisher.timer = asyncio.get_running_loop().call_later(
            CONNECT_TIMEOUT_S, self.receive_ended, publisher, "it did not connect in time"
        )
        return WhipAnswer(publisher.id, sdp)

    def end(self, publisher_id: str) -> None:
        """End a publisher. Raises StageError (NOT_FOUND)."""
        found = next((each for each in self._publishers() if each.id == publisher_id), None)
        if found is None:
            raise StageError(StageReason.NOT_FOUND)
        self.receive_ended(found, "it ended")

    async def close(self) -> None:
        """End the publisher, and wait until all connections are closed, which takes a bounded time."""
        for each in self._publishers():
            self.receive_ended(each, "the server is shutting down")
        if self._closing:
            await asyncio.wait(self._closing)

    def receive_connected(self, publisher: _Publisher) -> None:
        """A publisher has connected: what it sends is the picture now."""
        if self._connecting.pop(publisher.id, None) is None or publisher.peer is None:
            return
        if publisher.timer is not None:
            publisher.timer.cancel()
        before, self._publisher = self._publisher, publisher
        if before is not None:
            self._tell_end(before, "another one replaced it")
        logger.info("a program publishes the picture (publisher %s)", publisher.id)
        self._record(PublisherJoined(publisher.id))
        self.publication.begin(publisher.peer.request_idr)

    def receive_ended(self, publisher: _Publisher, why: str) -> None:
        """A publisher's connection ended, or is to end."""
        if self._connecting.pop(publisher.id, None) is not None:
            self._close(publisher)
        elif publisher is self._publisher:
            self._publisher = None
            self.publication.end()
            self._tell_end(publisher, why)

    def _publishers(self) -> list[_Publisher]:
        """The one that publishes, after those that connect."""
        return [*self._connecting.values(), *([self._publisher] if self._publisher is not None else [])]

    def _tell_end(self, publisher: _Publisher, why: str) -> None:
        logger.info("a program stopped publishing the picture: %s (publisher %s)", why, publisher.id)
        self._record(PublisherEnded(publisher.id, why))
        self._close(publisher)

    def _close(self, publisher: _Publisher) -> None:
        if publisher.timer is not None:
            publisher.timer.cancel()
        if publisher.peer is not None:
            closing = asyncio.ensure_future(publisher.peer.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _loaded(self) -> PublisherPeerFactory:
        if self._create_peer is None:
            self._create_peer = await asyncio.to_thread(_load_publisher, self._network)
        return self._create_peer


def _load_publisher(network: ViewerNetwork) -> PublisherPeerFactory:
    """Load aiortc, in a thread. Raises OwnerError."""
    load_peers(network)
    from belvedere.stage.direct.aiortc_publisher import AiortcPublisher  # noqa: PLC0415 (aiortc is heavy)

    return functools.partial(AiortcPublisher, network=network)
