from __future__ import annotations

import pytest
from tests.support.fake_hardware import Driver

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import CODEC, EncodeRequest, OpenRequest
from belvedere.stage.encoding.hardware_worker import Worker, open_codec

OPEN = OpenRequest("libx264", 64, 32, (1, 1), (30, 1), 100_000)
MEMORY = memoryview(bytes(64 * 32 * 3 // 2))


def test_a_picture_before_an_encoder_is_a_problem() -> None:
    assert Worker(MEMORY, Driver().open).answer(EncodeRequest(1, wants_idr=False)).problem == (
        "FFmpeg: no encoder is open"
    )


def test_answers_have_what_was_made_and_what_it_took() -> None:
    driver = Driver(processor_s=0.25)
    worker = Worker(MEMORY, driver.open, driver.processor_clock)
    opened = worker.answer(OPEN)
    assert (opened.problem, opened.width, opened.height, opened.packets) == ("", 64, 32, ())
    answer = worker.answer(EncodeRequest(1, wants_idr=False))
    assert answer.processor_s == 0.25
    assert len(answer.packets) == 1


def test_an_encoder_that_cannot_be_opened_leaves_none_open() -> None:
    driver = Driver()
    worker = Worker(MEMORY, driver.open)
    assert not worker.answer(OPEN).problem
    driver.opening_fails = True
    assert worker.answer(OPEN).problem == "FFmpeg: [Errno 16] Device or resource busy"
    assert worker.answer(EncodeRequest(1, wants_idr=False)).problem == "FFmpeg: no encoder is open"


def test_memory_that_is_too_small_is_a_problem() -> None:
    worker = Worker(MEMORY[:-1], Driver().open)
    worker.answer(OPEN)
    assert worker.answer(EncodeRequest(1, wants_idr=False)).problem


def test_ffmpeg_opens_encoders_by_name() -> None:
    codec = open_codec(OPEN, 64, 32)
    assert (codec.width, codec.height) == (64, 32)
    with pytest.raises(EncoderError, match="aac encodes no video"):
        open_codec(OpenRequest("aac", 64, 32, (1, 1), (30, 1), 100_000), 64, 32)


def test_without_a_device_ffmpeg_says_so() -> None:
    answer = Worker(MEMORY, open_codec).answer(OpenRequest(CODEC, 64, 32, (1, 1), (30, 1), 100_000))
    assert "h264_v4l2m2m" in answer.problem
