"""The lock of a state folder: one process at a time works with the store in it.

It is taken before the store is opened. The kernel releases it when the process ends, however that happens, so a killed
program leaves no lock behind; what it wrote into the file then means nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from belvedere.errors import OwnerError
from belvedere.store.ownership import give_to_owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_NAME: Final = "belvedere.lock"
OWN: Final = stat.S_IRUSR | stat.S_IWUSR
MAX_HOLDER_BYTES: Final = 1024


class InUseError(OwnerError):
    """Another process holds the lock of a state folder."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock: a process, on a host (in a container that is the container's name), and since when."""

    pid: int
    host: Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[\x21-\x7e]+\Z")]
    since_utc_s: Annotated[int, msgspec.Meta(ge=0, le=2**33)]

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since_utc_s, UTC)
        return f"process {self.pid} on {self.host}, since {since:%Y-%m-%d %H:%M} UTC"


@contextlib.contextmanager
def state_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a state folder. Raises InUseError, and OwnerError for a folder that cannot be used."""
    path = folder / LOCK_NAME
    try:
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWN)
    except OSError as error:
        raise OwnerError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            give_to_owner_of(folder, lock)
        except BlockingIOError as error:
            who = _holder(lock) or "it does not say which"
            raise InUseError(f"another Belvedere runs with the files in {folder} ({who}): stop it first") from error
        except OSError as error:  # a network file system without locks
            raise OwnerError(f"{path}: cannot be locked: {error.strerror}") from error
        _sign(lock)
        yield
    finally:
        os.close(lock)


def _sign(lock: int) -> None:
    """Write down who holds the lock; a full disk does not keep anybody from holding it."""
    holder = Holder(os.getpid(), socket.gethostname(), int(time.time()))
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, msgspec.json.encode(holder), 0)


def _holder(lock: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(lock, MAX_HOLDER_BYTES, 0), type=Holder)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
