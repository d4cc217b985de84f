"""An opened video device, as the kernel gives it: requests, readiness, mapped buffers. Nothing here knows cameras."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import select
import stat
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ctypes
    from pathlib import Path

VIDEO_MAJOR = 81  # the kernel's number for video devices
SIGNALS = 16  # a request that was interrupted this often in a row is given up


class MappedBuffer(Protocol):
    """A buffer of the driver, in this process's memory."""

    def view(self, length: int) -> memoryview:
        """Its first bytes, at most all of them; to be released before `close`."""
        ...

    def close(self) -> None:
        """Give the memory up; a view that was not released keeps it until it is."""
        ...


class DeviceFile(Protocol):
    """The opened device. Every call raises OSError with the kernel's error number; ENODEV once it is unplugged."""

    def ioctl(self, request: int, argument: ctypes.Structure | ctypes.c_int) -> None:
        """Send a request; the answer is written into `argument`."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until a buffer was filled or the device failed; False if neither happened in time."""
        ...

    def map(self, length: int, offset: int) -> MappedBuffer:
        """Map a buffer of the driver."""
        ...

    def close(self) -> None:
        """Close it; the kernel ends what it still did for this process."""
        ...


class KernelFile:
    """A video device of this computer. Opening one does not turn a camera on. Raises OSError, ENOTTY if it is no such.

    It is opened so that no call waits for a picture. Some drivers wait for their device within a request all the same,
    for seconds, and Python cannot interrupt that: call this from a thread that nobody waits for.
    """

    def __init__(self, path: Path) -> None:
        found = path.stat()
        if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) != VIDEO_MAJOR:
            raise OSError(errno.ENOTTY, "not a video device", str(path))
        self._adopt(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))

    def _adopt(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def ioctl(self, request: int, argument: ctypes.Structure | ctypes.c_int) -> None:
        """Send a request, again if a signal interrupted it, which Python does not do by itself here."""
        for _ in range(SIGNALS):
            try:
                fcntl.ioctl(self._descriptor, request, argument)
            except InterruptedError:
                continue
            return
        raise InterruptedError("interrupted by signals, again and again")

    def wait(self, timeout_s: float) -> bool:
        """Wait for a filled buffer or a failure."""
        return bool(self._poll.poll(max(0.0, timeout_s) * 1000))

    def map(self, length: int, offset: int) -> MappedBuffer:
        """Map a buffer; the mapping holds the device open until it is closed too."""
        return _Mapping(mmap.mmap(self._descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset))

    def close(self) -> None:
        """Close it; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Mapping:
    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory

    def view(self, length: int) -> memoryview:
        return memoryview(self._memory)[:length]

    def close(self) -> None:
        self._memory.close()
