from __future__ import annotations

from belvedere.stage.sources.source import VideoDescription, VideoFormat


def test_an_idr_can_be_requested_of_pictures_that_are_encoded_here_and_of_cameras_that_say_so() -> None:
    assert VideoDescription(VideoFormat.RAW, 160, 96, 30).can_request_idr
    assert not VideoDescription(VideoFormat.H264, 160, 96, 30).can_request_idr
    assert VideoDescription(VideoFormat.H264, 160, 96, 30, request_idr=lambda: None).can_request_idr
