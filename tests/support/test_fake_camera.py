from __future__ import annotations

import ctypes
import errno
from collections import deque
from pathlib import Path

import pytest
from tests.support.fake_camera import FakeCamera, FakeFile

from belvedere.stage.sources.v4l2 import abi

PATH = Path("/dev/video0")


def streaming(camera: FakeCamera, buffers: int = 2) -> FakeFile:
    """A file that streams into so many buffers."""
    file = camera.open(PATH)
    form = abi.Format(type=abi.CAPTURE)
    form.pix = abi.PixFormat(width=64, height=48, pixelformat=abi.fourcc("YUYV"))
    file.ioctl(abi.Request.S_FMT, form)
    for index in range(buffers):
        buffer = abi.Buffer(index=index)
        file.ioctl(abi.Request.QUERYBUF, buffer)
        file.map(buffer.length, buffer.offset)
        file.ioctl(abi.Request.QBUF, buffer)
    file.ioctl(abi.Request.STREAMON, ctypes.c_int(1))
    return file


def sequence_of(file: FakeFile) -> int:
    buffer = abi.Buffer()
    file.ioctl(abi.Request.DQBUF, buffer)
    return int(buffer.sequence)


def test_time_passes_only_while_somebody_waits_and_only_up_to_the_next_picture() -> None:
    camera = FakeCamera()
    file = streaming(camera)
    assert not file.wait(0.02)
    assert camera.now_s == pytest.approx(1000.02)
    assert file.wait(60)
    assert camera.now_s == pytest.approx(1000 + 1 / 30)
    assert sequence_of(file) == 0


def test_a_picture_without_a_free_buffer_is_lost_and_counted() -> None:
    camera = FakeCamera()
    file = streaming(camera)
    camera.now_s += 1.01
    assert [sequence_of(file), sequence_of(file)] == [0, 1]
    with pytest.raises(BlockingIOError):
        sequence_of(file)
    file.ioctl(abi.Request.QBUF, abi.Buffer(index=0))
    assert file.wait(60)
    assert sequence_of(file) == 30


def test_a_request_fails_as_the_test_wants_once_or_always() -> None:
    camera = FakeCamera()
    file = camera.open(PATH)
    camera.fails_once[abi.Request.QUERYCAP] = deque([errno.EIO])
    with pytest.raises(OSError, match="Input/output error"):
        file.ioctl(abi.Request.QUERYCAP, abi.Capability())
    file.ioctl(abi.Request.QUERYCAP, abi.Capability())
    camera.unplugged_at_s = camera.now_s
    with pytest.raises(OSError, match="No such device"):
        file.ioctl(abi.Request.QUERYCAP, abi.Capability())
    with pytest.raises(FileNotFoundError):
        camera.open(PATH)


def test_a_buffer_that_somebody_looks_at_cannot_be_unmapped() -> None:
    camera = FakeCamera()
    mapping = camera.open(PATH).map(100, 0)
    view = mapping.view(10)
    with pytest.raises(BufferError):
        mapping.close()
    view.release()
    mapping.close()
    assert camera.mapped == 0
