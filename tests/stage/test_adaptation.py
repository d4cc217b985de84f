from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stage.fakes import StageRig

from belvedere.stage.adaptation import KEYFRAMES_APART_S, Adaptation
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.options import StageOptions
from belvedere.stage.viewer import LinkReport

if TYPE_CHECKING:
    from belvedere.stage.viewer import Viewer

BITS_PER_S = 3_000_000


class Watched(StageRig):
    """A stage whose source sends pictures of the full bitrate, and viewers who report what the test says."""

    async def viewer(self, owner: str) -> Viewer:
        viewer_id = await self.watch(owner)
        return self.stage._viewers[viewer_id]

    def send(self, seconds: float) -> None:
        for number in range(round(seconds * 30)):
            self.now_s += 1 / 30
            ticks = round(self.now_s * 90_000)
            frame = EncodedFrame(bytes(BITS_PER_S // 8 // 30), self.now_s, ticks, is_idr=number == 0)
            self.producer.listener.receive_frame(frame)


async def test_reports_of_viewers_lower_the_bitrate_of_the_encoder() -> None:
    rig = Watched()
    viewer = await rig.viewer("ann")
    rig.send(2)
    assert rig.producer.targets[0].bits_per_s == BITS_PER_S // 2
    assert rig.producer.targets[-1].bits_per_s == BITS_PER_S
    viewer.report_loss(0.2)
    rig.send(0.2)
    assert rig.producer.targets[-1].bits_per_s < 0.95 * BITS_PER_S
    for _ in range(20):
        rig.send(0.3)
        viewer.report_capacity(600_000)
    assert rig.producer.targets[-1].bits_per_s < 600_000
    assert rig.producer.targets[-1].size < 1
    await rig.stage.close()


async def test_a_growing_round_trip_lowers_the_bitrate() -> None:
    rig = Watched()
    viewer = await rig.viewer("ann")
    for round_trip_s in (0.04, 0.05, 0.5):
        rig.send(1)
        viewer.report_round_trip(round_trip_s)
    rig.send(0.2)
    assert rig.producer.targets[-1].bits_per_s < BITS_PER_S
    await rig.stage.close()


async def test_who_is_left_behind_gets_key_frames_only_and_is_sent_one_every_few_seconds() -> None:
    rig = Watched()
    good, bad = await rig.viewer("ann"), await rig.viewer("bob")
    for _ in range(20):
        rig.send(0.3)
        bad.report_capacity(100_000)
    assert bad.subscriber.takes_keyframes_only
    assert not good.subscriber.takes_keyframes_only
    assert rig.producer.targets[-1].bits_per_s == BITS_PER_S
    await rig.stage.close()


async def test_who_gets_key_frames_only_is_sent_one_every_few_seconds() -> None:
    rig = Watched()
    requests: list[float] = []
    adaptation = Adaptation(StageOptions(), lambda: rig.now_s, lambda _target: None, lambda: requests.append(rig.now_s))
    viewers = [await rig.viewer("ann"), await rig.viewer("bob")]
    for viewer in viewers:
        adaptation.add(viewer)
    for number in range(600):
        rig.now_s += 1 / 30
        frame = EncodedFrame(bytes(BITS_PER_S // 8 // 30), rig.now_s, number, is_idr=False)
        adaptation.receive_frame(frame)
        adaptation.receive_report(viewers[1], LinkReport(loss=1.0))
    assert len(requests) == pytest.approx(20 / KEYFRAMES_APART_S, abs=1)
    await rig.stage.close()


async def test_who_left_or_never_watched_has_no_say() -> None:
    rig = Watched()
    await rig.viewer("ann")
    gone = await rig.viewer("bob")
    await rig.stage.end(gone.id, "bob")
    for _ in range(20):
        rig.send(0.3)
        gone.report_capacity(0)
        gone.report_loss(1)
    chosen = [target.bits_per_s for target in rig.producer.targets]
    assert chosen == sorted(chosen)
    assert chosen[-1] == BITS_PER_S
    await rig.stage.close()
