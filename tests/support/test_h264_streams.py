from __future__ import annotations

from tests.support.h264_streams import h264_stream

from belvedere.stage.h264 import nal_type, split_nal_units


def test_a_stream_has_an_access_unit_for_each_picture_and_parameter_sets_with_every_idr() -> None:
    stream = h264_stream(64, 48, count=5, idr_every=3)
    assert [[nal_type(unit) for unit in split_nal_units(data)] for data in stream] == [
        [7, 8, 5],
        [1],
        [1],
        [7, 8, 5],
        [1],
    ]
