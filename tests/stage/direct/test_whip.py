"""One program publishes at a time, the newest; whoever ends is told, and what was opened is closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.stage.direct.test_publisher_offer import ANSWER, OBS, SESSION, video

from belvedere.errors import StageError, StageReason
from belvedere.events import PublisherEnded, PublisherJoined
from belvedere.stage.direct.whip import MAX_CONNECTING, Whip
from belvedere.stage.options import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event
    from belvedere.stage.direct.peer import ConnectionListener
    from belvedere.stage.sources.published import Publication

OFFER = SESSION + video(OBS)


class FakePeer:
    """A connection that answers after `delay_s`, or raises `error`."""

    def __init__(self, listener: ConnectionListener, delay_s: float, error: Exception | None) -> None:
        self.listener = listener
        self.is_closed = False
        self.idrs = 0
        self._delay_s, self._error = delay_s, error

    async def answer(self, _offer: str) -> str:
        await asyncio.sleep(self._delay_s)
        if self._error is not None:
            raise self._error
        return ANSWER

    def request_idr(self) -> None:
        self.idrs += 1

    async def close(self) -> None:
        await asyncio.sleep(0.1)
        self.is_closed = True


class Rig:
    """A WHIP server with fake connections."""

    def __init__(self) -> None:
        self.peers: list[FakePeer] = []
        self.events: list[Event] = []
        self.delay_s = 0.0
        self.error: Exception | None = None
        clock = asyncio.get_running_loop().time
        self.whip = Whip(clock=clock, record=self.events.append, create_peer=self._create)

    async def publish(self) -> str:
        """A publisher that has connected."""
        published = await self.whip.publish(OFFER)
        self.peers[-1].listener.receive_connected()
        return published.id

    def _create(self, _publication: Publication, listener: ConnectionListener, _clock: Callable[[], float]) -> FakePeer:
        self.peers.append(FakePeer(listener, self.delay_s, self.error))
        return self.peers[-1]


async def test_a_program_publishes_from_its_connection_to_its_end() -> None:
    rig = Rig()
    published = await rig.whip.publish(OFFER)
    assert published.sdp.endswith("profile-level-id=42e01f\r\n")
    assert not rig.whip.publication.has_publisher()
    rig.peers[0].listener.receive_connected()
    assert rig.whip.publication.has_publisher()
    rig.whip.end(published.id)
    assert not rig.whip.publication.has_publisher()
    await rig.whip.close()
    assert rig.peers[0].is_closed
    assert rig.events == [PublisherJoined(published.id), PublisherEnded(published.id, "it ended")]


async def test_a_new_publisher_replaces_the_one_before_openly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    rig = Rig()
    first, second = await rig.publish(), await rig.publish()
    assert rig.events == [
        PublisherJoined(first),
        PublisherEnded(first, "another one replaced it"),
        PublisherJoined(second),
    ]
    assert f"another one replaced it (publisher {first})" in caplog.text
    rig.peers[0].listener.receive_ended()  # late: it was ended already
    assert rig.whip.publication.has_publisher()
    with pytest.raises(StageError) as caught:
        rig.whip.end(first)
    assert caught.value.reason is StageReason.NOT_FOUND
    await rig.whip.close()
    assert all(peer.is_closed for peer in rig.peers)


async def test_a_publisher_goes_on_until_the_next_one_has_connected() -> None:
    rig = Rig()
    first = await rig.publish()
    await rig.whip.publish(OFFER)
    assert rig.events == [PublisherJoined(first)]
    rig.peers[1].listener.receive_ended()
    assert rig.whip.publication.has_publisher()
    assert rig.events == [PublisherJoined(first)]
    await rig.whip.close()
    assert all(peer.is_closed for peer in rig.peers)


async def test_publishers_that_never_connect_are_bounded() -> None:
    rig = Rig()
    published = [await rig.whip.publish(OFFER) for _ in range(MAX_CONNECTING + 3)]
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers] == [True] * 3 + [False] * MAX_CONNECTING
    rig.whip.end(published[-1].id)
    await rig.whip.close()
    assert all(peer.is_closed for peer in rig.peers)
    assert rig.events == []


async def test_a_connection_that_breaks_ends_the_publisher() -> None:
    rig = Rig()
    published = await rig.publish()
    rig.peers[0].listener.receive_ended()
    assert rig.events[-1] == PublisherEnded(published, "its connection ended")
    assert not rig.whip.publication.has_publisher()
    await rig.whip.close()


async def test_a_publisher_that_does_not_connect_is_ended() -> None:
    rig = Rig()
    await rig.whip.publish(OFFER)
    await asyncio.sleep(CONNECT_TIMEOUT_S + 1)
    assert rig.peers[0].is_closed
    assert rig.events == []


@pytest.mark.parametrize("reason", [StageReason.BAD_OFFER, StageReason.NO_COMMON_CODEC])
async def test_an_offer_that_cannot_be_answered_leaves_the_publisher_before(reason: StageReason) -> None:
    rig = Rig()
    await rig.publish()
    rig.error = StageError(reason)
    with pytest.raises(StageError) as caught:
        await rig.whip.publish(OFFER)
    assert caught.value.reason is reason
    assert rig.whip.publication.has_publisher()
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers] == [False, True]
    await rig.whip.close()


async def test_an_answer_that_takes_too_long_is_given_up() -> None:
    rig = Rig()
    rig.delay_s = ANSWER_TIMEOUT_S + 1
    with pytest.raises(StageError) as caught:
        await rig.whip.publish(OFFER)
    assert caught.value.reason is StageReason.NO_PICTURE
    await asyncio.sleep(1)
    assert rig.peers[0].is_closed


async def test_a_request_that_is_cancelled_leaves_nothing_open() -> None:
    rig = Rig()
    rig.delay_s = 1.0
    asking = asyncio.create_task(rig.whip.publish(OFFER))
    await asyncio.sleep(0.5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(1)
    assert rig.peers[0].is_closed
