from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from belvedere.stage.frames import EncodedFrame


def encoded() -> EncodedFrame:
    frame = X264Encoder(StageOptions(width=1280, height=720)).encode(1.0, wants_idr=True)
    assert frame is not None
    return frame


def test_payloads_fit_a_packet_and_carry_the_whole_picture() -> None:
    frame = encoded()
    payloads = SharedPayloads().of(frame)
    units = frame.data.count(b"\0\0\1")
    assert all(0 < len(payload) <= 1300 for payload in payloads)
    assert sum(map(len, payloads)) > len(frame.data) - 4 * units - 1


def test_a_frame_is_cut_up_once_and_its_payloads_go_with_it() -> None:
    shared, frame = SharedPayloads(), encoded()
    assert shared.of(frame) is shared.of(frame)
    assert len(shared._payloads) == 1
    del frame
    gc.collect()
    assert not shared._payloads
