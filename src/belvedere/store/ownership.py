"""Whose the files are that root makes: the server's user's, who must be able to open them afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def give_to_owner_of(folder: Path, file: int | Path) -> None:
    """Where this process is root's, give a file, or an open one, to the owner and group of a folder. Raises OSError."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(file, owner.st_uid, owner.st_gid)
