"""The demo's room: painted once, by a process of its own, and kept."""

from __future__ import annotations

import atexit
import logging
import mmap
import os
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, NamedTuple

from belvedere.errors import OwnerError
from belvedere.sim.panorama import PANORAMA_BYTES, Panorama
from belvedere.sim.wall_clock import WallClock

PAINTING_TIMEOUT_S = 120.0  # two seconds on a laptop, twenty on the smallest board

logger = logging.getLogger(__name__)


class PaintedRoom(NamedTuple):
    """What there is to see, and the one thing in it that moves by itself."""

    panorama: Panorama
    clock: WallClock


class Room:
    """A room that is painted when it is first looked at.

    Painting takes two seconds and 200 MiB. It happens in a child process, so that it neither delays a command to the
    head nor leaves anything behind in this one but the 17 MB of the finished panorama. `python` is what runs it.
    """

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python
        self._lock = threading.Lock()
        self._painted: PaintedRoom | None = None

    def painted(self) -> PaintedRoom:
        """The room; any thread may ask, and all but the first wait for the first. Raises OwnerError."""
        with self._lock:
            if self._painted is None:
                panorama = _painted(self._python)
                self._painted = PaintedRoom(panorama, WallClock(panorama))
            return self._painted


def _painted(python: str) -> Panorama:
    started_s = time.monotonic()
    with _memory_file() as file:
        try:
            complaint, status = _run_painting(python, file)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OwnerError(f"the demo's room could not be painted: {error}") from error
        if status != 0 or os.fstat(file.fileno()).st_size != PANORAMA_BYTES:
            lines = complaint.decode(errors="replace").strip().splitlines() or [f"exit code {status}"]
            raise OwnerError(f"the demo's room could not be painted: {lines[-1]} (pip install 'belvedere[demo]')")
        data = memoryview(mmap.mmap(file.fileno(), PANORAMA_BYTES, access=mmap.ACCESS_COPY))
    logger.debug("painted the room in %.1f s", time.monotonic() - started_s)
    return Panorama(data)


def _run_painting(python: str, file: IO[bytes]) -> tuple[bytes, int]:
    """What the painting process complained of, and its exit status. Raises OSError or subprocess.TimeoutExpired.

    Ctrl-C in a terminal goes to a whole group of processes: the painter has one of its own, so that it does not
    complain of having been interrupted, and ends with us instead.
    """
    with subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        [python, "-m", "belvedere.sim.painting"],
        stdin=subprocess.DEVNULL,
        stdout=file,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as painting:
        atexit.register(painting.kill)
        try:
            _, complaint = painting.communicate(timeout=PAINTING_TIMEOUT_S)
        finally:
            painting.kill()
            atexit.unregister(painting.kill)
        return complaint, painting.returncode


def _memory_file() -> IO[bytes]:
    """A file without a name, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("belvedere-room"), "w+b")
    return tempfile.TemporaryFile()
