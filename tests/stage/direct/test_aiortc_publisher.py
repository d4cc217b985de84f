"""A publisher's pictures reach a viewer without being decoded on the way, and its floods end at the socket."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aioice import Candidate, ice
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket
from tests.stage.direct.publishing import SIZE, Publisher
from tests.stage.direct.watching import SMALL, Browser, until

from belvedere.stage.direct.aiortc_publisher import PublisherLimits
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.direct.whip import Whip
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.sources.published import PublishedSource
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.realtime


@asynccontextmanager
async def published() -> AsyncIterator[tuple[Whip, Publisher, Stage]]:
    """A stage that shows what an aiortc publisher sends."""
    whip = Whip()
    stage = Stage(lambda: PublishedSource(whip.publication), SMALL, on_viewers=lambda _count: None)
    publisher = Publisher()
    answer = await whip.publish(await publisher.offer())
    await publisher.accept(answer.sdp)
    try:
        await until(whip.publication.has_publisher)
        yield whip, publisher, stage
    finally:
        await publisher.connection.close()
        await stage.close()
        await whip.close()
        await asyncio.sleep(0.05)


async def test_a_published_picture_is_seen_and_nobody_decodes_it_on_the_way() -> None:
    async with published() as (_whip, publisher, stage):
        decoders = [thread.name for thread in threading.enumerate() if thread.name.endswith("-decoder")]
        assert decoders == []
        browser = Browser()
        webrtc = WebRtc(stage, SMALL)
        answer = await webrtc.answer(await browser.offer(), "ann")
        await browser.accept(answer.sdp)
        assert [await browser.picture() for _ in range(5)] == [SIZE] * 5
        await browser.connection.close()
        assert publisher.connection.connectionState == "connected"


async def test_a_viewer_gets_an_idr_soon_because_the_publisher_is_asked_for_one() -> None:
    async with published() as (_whip, publisher, stage):
        await stage.take_still(5.0)
        said = record_rtcp(publisher)
        still = await stage.take_still(5.0)
        assert isinstance(still, EncodedFrame)
        assert still.is_idr
        assert any(isinstance(packet, RtcpPsfbPacket) and packet.fmt == 1 for packet in said)
        await until(lambda: any(isinstance(packet, RtcpRrPacket) for packet in said))


async def test_capture_times_are_on_our_clock() -> None:
    async with published() as (_whip, _publisher, stage):
        still = await stage.take_still(5.0)
        assert 0 <= time.monotonic() - still.captured_s < 1.5


async def test_the_end_of_the_publisher_is_noticed() -> None:
    async with published() as (whip, publisher, _stage):
        await publisher.connection.close()
        await until(lambda: not whip.publication.has_publisher())


def record_rtcp(publisher: Publisher) -> list[object]:
    """What the publisher hears from now on."""
    said: list[object] = []
    transport = publisher.transport
    handle = transport._handle_rtcp_data

    async def record(data: bytes) -> None:
        said.extend(RtcpPacket.parse(data))
        await handle(data)

    transport._handle_rtcp_data = record  # type: ignore[method-assign]  # the only way to see packets
    return said


async def test_media_is_accepted_from_a_known_address_only() -> None:
    connection = ice.Connection(ice_controlling=False)
    limits = PublisherLimits(connection)
    rtp, rtcp = b"\x80\x60" + bytes(1000), b"\x80\xc8" + bytes(50)
    assert not limits.accepts(rtp, ("192.0.2.1", 1))
    connection._remote_candidates.append(
        Candidate("1", 1, "udp", 1, "192.0.2.1", 1, "host"),
    )
    assert limits.accepts(rtp, ("192.0.2.1", 1))
    assert limits.accepts(rtcp, ("192.0.2.1", 1))
    assert not limits.accepts(rtp, ("192.0.2.1", 2))
    assert not limits.accepts(b"\x80" + bytes(2000), ("192.0.2.1", 1))
    assert not limits.accepts(b"\x80\x60", ("192.0.2.1", 1))
