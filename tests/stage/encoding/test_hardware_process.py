from __future__ import annotations

import os
import sys

import pytest
from tests.support.fake_hardware import __file__ as fake_hardware

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import CODEC, EncodeRequest, HardwareEncoder, OpenRequest
from belvedere.stage.encoding.hardware_process import (
    MAX_MESSAGE_BYTES,
    HardwareProcess,
    read_message,
    write_message,
)
from belvedere.stage.options import StageOptions

SMALL = StageOptions(width=320, height=192, bitrate_kbps=500)
FAKE = (sys.executable, fake_hardware)
OPEN = OpenRequest(CODEC, 320, 192, (1, 1), (30, 1), 100_000)
PICTURE = EncodeRequest(1, wants_idr=False)


def test_messages_are_read_as_they_were_written_until_the_end() -> None:
    reader, writer = os.pipe()
    write_message(writer, b"one")
    write_message(writer, b"")
    os.write(writer, (5).to_bytes(4) + b"cut")
    os.close(writer)
    assert [read_message(reader, None) for _ in range(4)] == [b"one", b"", None, None]
    os.close(reader)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (b"", "does not answer"),
        (b"\0\0\0\5half", "does not answer"),
        ((MAX_MESSAGE_BYTES + 1).to_bytes(4), "a message of 16777217 bytes"),
    ],
)
def test_a_message_that_does_not_come_or_is_absurd_is_an_error(written: bytes, problem: str) -> None:
    reader, writer = os.pipe()
    os.write(writer, written)
    with pytest.raises(EncoderError, match=problem):
        read_message(reader, 0.0)
    os.close(reader)
    os.close(writer)


@pytest.mark.realtime
def test_a_child_encodes_what_is_in_the_shared_memory() -> None:
    process = HardwareProcess(SMALL.width, SMALL.height, FAKE)
    encoder = HardwareEncoder(SMALL, process)
    sizes = []
    for number in range(3):
        encoder.picture.y[:] = os.urandom(len(encoder.picture.y)) if number == 2 else bytes(len(encoder.picture.y))
        frame = encoder.encode(50 + number, wants_idr=False)
        assert frame is not None
        sizes.append(len(frame.data))
    assert sizes[2] > 10 * sizes[1]
    process.close()


@pytest.mark.realtime
def test_the_real_child_says_that_there_is_no_device_or_opens_it() -> None:
    process = HardwareProcess(320, 192)
    answer = process.request(OPEN, 30)
    assert (answer.width, answer.height) == (320, 192) or CODEC in answer.problem
    process.close()


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import time; time.sleep(600)", "the driver does not answer"),
        ("", "its process"),
        ("import os; os.write(1, b'\\0\\0\\0\\1x'); import time; time.sleep(600)", "its process failed"),
    ],
    ids=["hangs", "ends", "answers nonsense"],
)
def test_a_child_that_fails_is_an_error_and_can_be_ended(code: str, problem: str) -> None:
    process = HardwareProcess(320, 192, (sys.executable, "-c", code))
    with pytest.raises(EncoderError, match=problem):
        process.request(OPEN, 0.2 if "does not" in problem else 30)
    process.close()
    process.close()
    with pytest.raises(EncoderError, match="its process was ended"):
        process.request(PICTURE, 30)


def test_a_child_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(EncoderError, match="could not be started"):
        HardwareProcess(320, 192, ("/nonexistent/program",))
