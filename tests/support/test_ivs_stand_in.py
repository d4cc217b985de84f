"""The stand-in as our publisher meets it, over real connections on loopback; the real SDK meets it in the browser."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.stage.direct.watching import SMALL, until
from tests.stage.ivs.tokens import KEY, TokensOfATest, signed
from tests.support.ivs_stand_in import IvsStandIn

from belvedere.secret import Secret
from belvedere.stage.h264 import NalType, nal_type, read_sps, split_nal_units
from belvedere.stage.ivs import whip_client
from belvedere.stage.ivs.publisher import Publisher
from belvedere.stage.ivs.whip_client import WhipError
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.realtime

WAIT_S = 40.0


class House:
    """A stage that shows the pattern, and publishes it to a stand-in."""

    def __init__(self, stand_in: IvsStandIn, options: StageOptions = SMALL) -> None:
        self.stand_in = stand_in
        self.stage = Stage(PatternSource, options, on_viewers=lambda _count: None)
        self.publisher = Publisher(self.stage, options, TokensOfATest(stand_in))

    async def published(self) -> None:
        """Wait until a picture is there."""
        await until(lambda: any(camera.frames for camera in self.stand_in.cameras), WAIT_S)


@asynccontextmanager
async def house(options: StageOptions = SMALL) -> AsyncIterator[House]:
    async with IvsStandIn(KEY.public_key()) as stand_in:
        opened = House(stand_in, options)
        try:
            yield opened
        finally:
            await opened.publisher.close()
            await opened.stage.close()
    await asyncio.sleep(0.05)


async def test_the_camera_is_published_by_a_redirect_and_its_end_is_told() -> None:
    async with house() as there:
        there.publisher.receive_participants(1)
        await there.published()
        (camera,) = there.stand_in.cameras
        assert camera.attributes == {"role": "camera"}
        assert there.stand_in.requests == ["POST /whip", f"POST /whip/publish/{camera.participant}"]
        first = camera.frames[0]
        assert first.is_idr
        sps = next(read_sps(unit) for unit in split_nal_units(first.data) if nal_type(unit) == NalType.SPS)
        assert (sps.width, sps.height) == (320, 192)
        there.publisher.forbid()
        await until(lambda: f"DELETE /whip/publish/{camera.participant}" in there.stand_in.requests, WAIT_S)
        assert not there.stand_in.cameras


async def test_an_idr_comes_every_second_or_two() -> None:
    async with house() as there:
        there.publisher.receive_participants(1)
        await there.published()
        (camera,) = there.stand_in.cameras
        await until(lambda: sum(frame.is_idr for frame in camera.frames) >= 4, WAIT_S)
        idrs = [frame.captured_s for frame in camera.frames if frame.is_idr]
        captured = [frame.captured_s for frame in camera.frames]
        longest_gap_s = max(later - earlier for earlier, later in itertools.pairwise(captured))
        between = [later - earlier for earlier, later in itertools.pairwise(idrs[1:])]
        assert max(between) <= 2.0 + 2 * longest_gap_s  # on a machine that stands still, pictures come late


async def test_a_picture_of_1080_lines_is_made_smaller() -> None:
    large = StageOptions(width=1920, height=1088, fps=15, bitrate_kbps=3000, preset="ultrafast")
    async with house(large) as there:
        there.publisher.receive_participants(1)
        await there.published()
        (camera,) = there.stand_in.cameras
        await until(lambda: len(camera.frames) >= 5, WAIT_S)
        sps = [
            read_sps(unit)
            for frame in camera.frames
            for unit in split_nal_units(frame.data)
            if nal_type(unit) == NalType.SPS
        ]
        assert sps
        assert all(each.width <= 1280 and each.height <= 720 and each.profile == 66 for each in sps)


async def test_a_publisher_whom_ivs_ends_comes_back_as_another_participant() -> None:
    async with house() as there:
        there.publisher.receive_participants(1)
        await there.published()
        first = there.stand_in.cameras[0].participant
        there.stand_in.end_cameras()
        await until(lambda: not there.stand_in.cameras, WAIT_S)
        await there.published()
        assert there.stand_in.cameras[0].participant != first


async def test_after_the_curtain_no_frame_of_before_arrives() -> None:
    async with house() as there:
        there.publisher.receive_participants(1)
        await there.published()
        (camera,) = there.stand_in.cameras
        there.stage.cover()
        there.publisher.receive_participants(0)
        await until(lambda: camera not in there.stand_in.cameras, WAIT_S)
        received = len(camera.frames)
        await asyncio.sleep(0.2)
        assert len(camera.frames) == received


@pytest.mark.parametrize(("publishes", "lasts_s", "status"), [(True, -5.0, 401), (False, 60.0, 403)])
async def test_a_token_that_has_ended_or_may_not_publish_is_refused(
    *, publishes: bool, lasts_s: float, status: int
) -> None:
    async with IvsStandIn(KEY.public_key()) as stand_in:
        token = Secret(signed(stand_in, "somebody", publishes=publishes, lasts_s=lasts_s))
        with pytest.raises(WhipError) as caught:
            await asyncio.to_thread(whip_client.publish, stand_in.whip_url, token, "v=0")
        assert caught.value.status == status
