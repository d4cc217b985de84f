from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.stage.fakes import IDR, FakeProducer

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.encoding.rate_control import EncodingTarget
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.supervisor import (
    REFUSED_DELAY_S,
    RETRY_DELAYS_S,
    STALL_CHECK_S,
    STALL_TIMEOUT_S,
    STEADY_S,
    SourceSupervisor,
)

if TYPE_CHECKING:
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.producer import ProducerListener
    from belvedere.stage.tap import Still


class Supervised:
    """A supervisor with a producer that the test controls; its listener stops it if it is told to."""

    def __init__(self) -> None:
        self.supervisor = SourceSupervisor(self._create, self)
        self.frames: list[EncodedFrame] = []
        self.failures: list[Exception] = []
        self.others: list[object] = []
        self.stops_at_failure = False

    def receive_frame(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)

    def receive_description(self, description: VideoDescription) -> None:
        self.others.append(description)

    def receive_still(self, still: Still) -> None:
        self.others.append(still)

    def receive_failure(self, error: Exception) -> None:
        self.failures.append(error)
        if self.stops_at_failure:
            self.supervisor.stop()

    async def seconds_until_on(self) -> float:
        """How long it takes until the source is on."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        while not self.producer.is_on:  # noqa: ASYNC110 (in virtual time)
            await asyncio.sleep(0.01)
        return loop.time() - began_at

    def _create(self, listener: ProducerListener) -> FakeProducer:
        self.producer = FakeProducer(listener)
        return self.producer


async def test_a_source_that_fails_is_started_again_later_each_time() -> None:
    supervised = Supervised()
    supervised.supervisor.start()
    supervised.supervisor.start()
    assert supervised.producer.starts == 1
    for delay_s in (*RETRY_DELAYS_S, RETRY_DELAYS_S[-1]):
        supervised.producer.fail(OSError("unplugged"))
        assert abs(await supervised.seconds_until_on() - delay_s) < 0.05
    assert len(supervised.failures) == len(RETRY_DELAYS_S) + 1
    supervised.supervisor.stop()


async def test_a_camera_that_refuses_the_password_is_not_asked_again_soon() -> None:
    supervised = Supervised()
    supervised.supervisor.start()
    supervised.producer.fail(CameraError(CameraReason.REFUSED, "rtsp://camera: user name and password are wrong"))
    assert abs(await supervised.seconds_until_on() - REFUSED_DELAY_S) < 0.05
    supervised.supervisor.stop()


async def test_a_source_that_ran_for_a_while_is_started_again_at_once() -> None:
    supervised = Supervised()
    supervised.supervisor.start()
    for _ in range(3):
        await asyncio.sleep(STEADY_S)
        supervised.producer.fail(OSError("unplugged"))
        assert await supervised.seconds_until_on() < 0.05
    supervised.supervisor.stop()


async def test_a_listener_that_stops_it_is_obeyed_and_the_delay_holds_for_the_next_start() -> None:
    supervised = Supervised()
    supervised.stops_at_failure = True
    supervised.supervisor.start()
    supervised.producer.fail(OSError("unplugged"))
    await asyncio.sleep(60)
    assert supervised.producer.starts == 1
    supervised.supervisor.start()
    assert supervised.producer.starts == 2
    supervised.producer.fail(OSError("unplugged"))
    supervised.supervisor.start()
    assert abs(await supervised.seconds_until_on() - RETRY_DELAYS_S[1]) < 0.05
    supervised.producer.fail(OSError("unplugged"))
    supervised.supervisor.start()
    assert abs(await supervised.seconds_until_on() - RETRY_DELAYS_S[2]) < 0.05
    supervised.supervisor.stop()


async def test_a_stop_while_it_waits_cancels_the_next_attempt() -> None:
    supervised = Supervised()
    supervised.supervisor.start()
    for _ in range(2):
        supervised.producer.fail(OSError("unplugged"))
        await supervised.seconds_until_on()
    supervised.producer.fail(OSError("unplugged"))
    supervised.supervisor.stop()
    await asyncio.sleep(60)
    assert not supervised.producer.is_on


async def test_a_source_that_hangs_is_abandoned_and_started_again() -> None:
    supervised = Supervised()
    supervised.supervisor.start()
    supervised.producer.silence_s = STALL_TIMEOUT_S
    await asyncio.sleep(10 * STALL_CHECK_S)
    assert not supervised.failures
    supervised.producer.silence_s = STALL_TIMEOUT_S + 1
    await asyncio.sleep(STALL_CHECK_S)
    supervised.producer.silence_s = 0
    assert supervised.producer.abandoned == 1
    assert isinstance(supervised.failures[0], CameraError)
    await supervised.seconds_until_on()
    supervised.supervisor.stop()
    assert await supervised.supervisor.wait_off()


async def test_the_rest_is_passed_on() -> None:
    supervised = Supervised()
    supervised.supervisor.start()
    supervised.supervisor.request_idr()
    supervised.supervisor.cut()
    supervised.supervisor.request_still()
    assert supervised.producer.stills == 1
    description = VideoDescription(VideoFormat.RAW, 320, 192, 30)
    supervised.producer.listener.receive_description(description)
    supervised.producer.listener.receive_still(IDR)
    assert supervised.others == [description, IDR]
    supervised.producer.listener.receive_frame(IDR)
    assert (supervised.producer.idrs, supervised.producer.cuts, supervised.frames) == (1, 1, [IDR])
    supervised.supervisor.stop()


async def test_a_target_is_passed_to_the_producer() -> None:
    supervised = Supervised()
    supervised.supervisor.set_target(EncodingTarget(500_000))
    assert supervised.producer.targets == [EncodingTarget(500_000)]
