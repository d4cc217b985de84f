from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from belvedere.stage.sources.v4l2.device_file import KernelFile

if TYPE_CHECKING:
    from collections.abc import Iterator

FIONREAD = 0x541B


@pytest.fixture
def pipe() -> Iterator[tuple[KernelFile, int]]:
    """A file that can be opened without any camera: one end of a pipe; and its other end."""
    reading, writing = os.pipe()
    file = KernelFile.__new__(KernelFile)
    file._adopt(reading)
    yield file, writing
    file.close()
    os.close(writing)


def test_only_video_devices_are_opened(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null"), Path("/etc/passwd")):
        with pytest.raises(OSError, match="not a video device") as caught:
            KernelFile(path)
        assert caught.value.errno == errno.ENOTTY
    with pytest.raises(FileNotFoundError):
        KernelFile(tmp_path / "video0")


def test_a_request_is_answered_in_its_argument(pipe: tuple[KernelFile, int]) -> None:
    file, writing = pipe
    os.write(writing, b"seven b")
    answer = ctypes.c_int()
    file.ioctl(FIONREAD, answer)
    assert answer.value == 7


def test_a_request_that_a_signal_interrupts_is_sent_again_but_not_for_ever(
    pipe: tuple[KernelFile, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    def interrupt(_descriptor: int, request: int, _argument: object) -> None:
        sent.append(request)
        if len(sent) < interruptions:
            raise InterruptedError

    monkeypatch.setattr(fcntl, "ioctl", interrupt)
    interruptions = 3
    pipe[0].ioctl(1, ctypes.c_int())
    assert len(sent) == 3
    interruptions = 10**6
    with pytest.raises(InterruptedError):
        pipe[0].ioctl(1, ctypes.c_int())


def test_waiting_ends_with_its_time_with_a_picture_or_with_the_device(pipe: tuple[KernelFile, int]) -> None:
    file, writing = pipe
    assert file.wait(-1) is False
    assert file.wait(0.001) is False
    os.write(writing, b"picture")
    assert file.wait(60) is True


def test_a_closed_file_may_be_closed_again(pipe: tuple[KernelFile, int]) -> None:
    pipe[0].close()
    pipe[0].close()


def test_a_mapped_buffer_shows_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "buffer"
    path.write_bytes(bytes(mmap.PAGESIZE) + b"picture".ljust(mmap.PAGESIZE, b"\0"))
    descriptor = os.open(path, os.O_RDWR)
    file = KernelFile.__new__(KernelFile)
    file._adopt(descriptor)
    mapped = file.map(mmap.PAGESIZE, mmap.PAGESIZE)
    view = mapped.view(7)
    assert bytes(view) == b"picture"
    assert len(mapped.view(10**9)) == mmap.PAGESIZE
    view.release()
    file.close()
    mapped.close()
