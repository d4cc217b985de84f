"""The child process of a hardware encoder. Messages to and from it are a length of four bytes, then MessagePack."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from belvedere.stage.encoding.hardware import Request

LENGTH_BYTES = 4
MAX_MESSAGE_BYTES = 2**24  # a picture of 4K without any compression has 12 MB
KILL_TIMEOUT_S = 1.0  # a process that waits for a driver may not be killed at once
WORKER = (sys.executable, "-P", "-m", "belvedere.stage.encoding.hardware_worker")


def read_message(descriptor: int, deadline_s: float | None) -> bytes | None:
    """Read a message; None if there are no more. Raises EncoderError if it is not there by then (`time.monotonic`)."""
    head = _read(descriptor, LENGTH_BYTES, deadline_s)
    if head is None:
        return None
    length = int.from_bytes(head)
    if length > MAX_MESSAGE_BYTES:
        raise EncoderError(f"a message of {length} bytes")
    return _read(descriptor, length, deadline_s)


def write_message(descriptor: int, message: bytes) -> None:
    """Write a message, however long the reader takes."""
    rest = memoryview(len(message).to_bytes(LENGTH_BYTES) + message)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int, count: int, deadline_s: float | None) -> bytes | None:
    found = bytearray()
    while len(found) < count:
        if deadline_s is not None:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(max(0.0, deadline_s - time.monotonic()) * 1000):
                raise EncoderError("the driver does not answer")
        piece = os.read(descriptor, count - len(found))
        if not piece:
            return None
        found += piece
    return bytes(found)


class HardwareProcess:
    """Starts the child, which then loads FFmpeg; returns at once. Raises EncoderError if that is impossible.

    Args:
        width, height: of the picture that the shared memory is for.
        command: what to run, with the descriptor of the memory as its last argument.
    """

    def __init__(self, width: int, height: int, command: Sequence[str] = WORKER) -> None:
        size = width * height * 3 // 2
        try:
            descriptor = os.memfd_create("picture")
            try:
                os.ftruncate(descriptor, size)
                self.memory = memoryview(mmap.mmap(descriptor, size))
                self._process = subprocess.Popen(  # noqa: S603 (our own interpreter, and a number)
                    [*command, str(descriptor)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    bufsize=0,
                    pass_fds=(descriptor,),
                    start_new_session=True,
                )
            finally:
                os.close(descriptor)
        except (OSError, AttributeError) as error:  # systems other than Linux have no memfd
            raise EncoderError(f"its process could not be started: {error}") from error

    def request(self, request: Request, timeout_s: float) -> Answer:
        """Send a request and wait for the answer."""
        deadline_s = time.monotonic() + timeout_s
        if self._process.stdin is None or self._process.stdout is None or self._process.stdin.closed:
            raise EncoderError("its process was ended")
        try:
            write_message(self._process.stdin.fileno(), msgspec.msgpack.encode(request))
            message = read_message(self._process.stdout.fileno(), deadline_s)
            if message is not None:
                return msgspec.msgpack.decode(message, type=Answer)
        except (OSError, msgspec.MsgspecError) as error:
            raise EncoderError(f"its process failed: {error}") from error
        raise EncoderError("its process ended")

    def close(self) -> None:
        """Kill it. One that a driver does not let go is left alone after a while."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_TIMEOUT_S)
