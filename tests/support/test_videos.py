from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
from tests.support.videos import SIZE, annex_b, jpeg, write_video

if TYPE_CHECKING:
    from pathlib import Path


def middle(frame: av.VideoFrame) -> int:
    return memoryview(frame.planes[0])[SIZE[0] // 2]


def test_a_file_has_the_frames_that_were_asked_for(tmp_path: Path) -> None:
    with av.open(write_video(tmp_path / "a.mp4", [40, 200], 25)) as container:
        frames = list(container.decode(video=0))
    assert [frame.time for frame in frames] == [0, 0.04]
    assert [abs(middle(frame) - level) <= 2 for frame, level in zip(frames, (40, 200), strict=True)] == [True, True]


def test_pictures_and_streams_decode_to_their_levels() -> None:
    for name, data, levels in (("mjpeg", jpeg(90), [90]), ("h264", annex_b([40, 200]), [40, 200])):
        decoder = cast("av.VideoCodecContext", av.CodecContext.create(name, "r"))
        packets = [av.Packet(data)] if name == "mjpeg" else [*decoder.parse(data), *decoder.parse(None)]
        frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
        assert [round(middle(frame), -1) for frame in frames] == levels
