"""A real file system that is small enough to be filled."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOUNT = shutil.which("mount") or ""


@dataclass
class Disk:
    """A folder that is a mount point of a small file system."""

    folder: Path

    def fill(self) -> None:
        """Fill the file system."""
        with suppress(OSError), (self.folder / "filling").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(512))

    def free(self) -> None:
        """Unmount it."""
        (self.folder / "filling").unlink()

    def remount(self, how: str) -> None:
        """`ro` or `rw`."""
        subprocess.run([MOUNT, "-o", f"remount,{how}", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, kibi: int = 192) -> Iterator[Disk]:
    """Mount one, or skip the test if that is not permitted."""
    size = ["-t", "tmpfs", "-o", f"size={kibi}k", "none", str(folder)]
    if not MOUNT or subprocess.run([MOUNT, *size], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
