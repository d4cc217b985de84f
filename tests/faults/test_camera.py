"""A camera fails, is away, and comes back, while people watch."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tests.stage.fakes import IDR, OFFER, StageRig

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.options import OUTAGE_TIMEOUT_S
from belvedere.stage.supervisor import RETRY_DELAYS_S, STALL_CHECK_S, STALL_TIMEOUT_S

if TYPE_CHECKING:
    import pytest

BACK = EncodedFrame(b"", 40.0, rtp_ticks(40.0), is_idr=True)


async def test_when_the_source_fails_viewers_keep_their_connection_and_get_the_picture_when_it_is_back() -> None:
    rig = StageRig()
    await rig.watch("ann")
    rig.producer.listener.receive_frame(IDR)
    assert await rig.peers[0].subscriber.next_frame() is IDR
    rig.producer.fail(OSError("unplugged"))
    await asyncio.sleep(20)
    assert rig.is_on()
    assert not rig.peers[0].is_closed
    rig.producer.listener.receive_frame(BACK)
    assert await rig.peers[0].subscriber.next_frame() is BACK
    await asyncio.sleep(2 * OUTAGE_TIMEOUT_S)
    assert rig.stage.viewers == 1
    await rig.stage.close()


async def test_the_reason_of_a_failure_is_told_and_forgotten_with_the_next_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = StageRig()
    told: list[CameraReason | None] = []
    rig.stage._on_viewers = lambda _viewers: told.append(rig.stage.camera_reason)
    await rig.watch("ann")
    with caplog.at_level(logging.INFO):
        for reason in (CameraReason.UNPLUGGED, CameraReason.NOT_FOUND, CameraReason.NOT_FOUND):
            rig.producer.fail(CameraError(reason, "/dev/video0: look at the cable"))
            await asyncio.sleep(max(RETRY_DELAYS_S))
        rig.producer.listener.receive_frame(IDR)
        rig.producer.listener.receive_frame(IDR)
    assert told == [None, CameraReason.UNPLUGGED, CameraReason.NOT_FOUND, None]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "the camera has no picture (unplugged): /dev/video0: look at the cable"),
        ("ERROR", "the camera has no picture (not_found): /dev/video0: look at the cable"),
        ("INFO", "the video source has a picture again"),
    ]
    await rig.stage.close()


async def test_viewers_who_come_while_the_source_fails_wait_for_the_picture(caplog: pytest.LogCaptureFixture) -> None:
    rig = StageRig()
    with caplog.at_level(logging.INFO):
        await rig.watch("ann")
        rig.producer.fail(OSError("unplugged"))
        await rig.watch("bob")
        for _ in range(3):
            rig.producer.fail(OSError("unplugged"))
            await asyncio.sleep(max(RETRY_DELAYS_S))
            assert rig.is_on()
    assert len(caplog.records) == 1  # the first failure
    assert (rig.stage.viewers, rig.stage.is_available) == (2, False)
    assert rig.stage.camera_reason is CameraReason.FAILED
    rig.producer.listener.receive_frame(IDR)
    assert await rig.peers[1].subscriber.next_frame() is IDR
    await asyncio.sleep(2 * OUTAGE_TIMEOUT_S)
    assert (rig.stage.viewers, rig.stage.is_available) == (2, True)
    await rig.stage.close()


async def test_viewers_do_not_wait_without_end_for_a_source_that_fails() -> None:
    rig = StageRig()
    await rig.watch("ann")
    rig.producer.fail(OSError("unplugged"))
    await rig.watch("bob")
    await asyncio.sleep(OUTAGE_TIMEOUT_S - 1)
    assert rig.stage.viewers == 2
    await asyncio.sleep(2)
    assert rig.counts == [1, 1, 2, 1, 0]
    assert all(peer.is_closed for peer in rig.peers)
    assert not rig.is_on()
    assert not rig.stage.is_available
    await rig.stage.close()


async def test_the_picture_is_unavailable_from_a_failure_until_the_next_picture() -> None:
    rig = StageRig()
    calls: list[tuple[int, bool]] = []
    rig.stage._on_viewers = lambda viewers: calls.append((viewers, rig.stage.is_available))
    assert rig.stage.is_available
    await rig.watch("ann")
    rig.producer.fail(OSError("unplugged"))
    await rig.watch("ann")
    rig.producer.listener.receive_frame(IDR)
    rig.producer.listener.receive_frame(IDR)
    assert calls == [(1, True), (1, False), (2, False), (2, True)]
    await rig.stage.close()
    assert not rig.stage.is_available


async def test_a_failure_is_reported_even_if_nobody_watches_yet() -> None:
    rig = StageRig()
    await rig.webrtc.answer(OFFER, "ann")
    rig.producer.fail(OSError("unplugged"))
    assert rig.counts == [0]
    assert not rig.stage.is_available
    await rig.stage.close()


async def test_a_failure_is_logged_again_after_pictures_came(caplog: pytest.LogCaptureFixture) -> None:
    rig = StageRig()
    with caplog.at_level(logging.INFO):
        await rig.watch("ann")
        for _ in range(2):
            rig.producer.listener.receive_frame(IDR)
            rig.producer.fail(OSError("unplugged"))
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO", "ERROR"]
    await rig.stage.close()


async def test_a_source_that_hangs_fails() -> None:
    rig = StageRig()
    await rig.watch()
    rig.producer.silence_s = STALL_TIMEOUT_S + 1
    await asyncio.sleep(STALL_CHECK_S + 1)
    assert rig.producer.abandoned == 1
    assert rig.stage.camera_reason is CameraReason.NO_SIGNAL
    await rig.stage.close()
