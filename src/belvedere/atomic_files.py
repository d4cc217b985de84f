"""Files that are written whole or not at all: a reader, or a start after a power cut, finds the old one or the new."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

OWN: Final = stat.S_IRUSR | stat.S_IWUSR
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def partial_of(target: Path) -> Path:
    """Where a file is written before it replaces `target`: beside it, because only there can it replace that."""
    return target.with_name(f".{target.name}.partial")


def new_file(path: Path) -> IO[bytes]:
    """Open a new file that only this user may read, for writing. Raises FileExistsError where there is anything."""
    return os.fdopen(os.open(path, _NEW, OWN), "w+b")


@contextlib.contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """The path of an empty file of this user's only, which replaces `target` at the end, once it is on the disk.

    After an error it is deleted, and `target` is as it was. Only one process may write a `target` at a time.
    """
    partial = partial_of(target)
    partial.unlink(missing_ok=True)  # of a power cut
    with new_file(partial) as file:
        try:
            yield partial
            os.fsync(file.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
