"""What root does in the server's folder: by the server's rights, and what it makes is the server's."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def give_to_owner_of(folder: Path, file: int | Path) -> None:
    """Where this process is root's, give a file, or an open one, to the owner and group of a folder. Raises OSError."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


@contextlib.contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """Where this process is root's, do what follows by the rights of a folder's owner. Raises OSError.

    Whoever has taken over the server could leave links in its folder, and a journal beside the store that names other
    files to be deleted: these must not lead root anywhere.
    """
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
