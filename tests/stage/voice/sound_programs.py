"""Programs in place of parec and pacat, and the run that they are used in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.stage.voice.device_runner import DeviceRun

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, script: str) -> list[str]:
    """A shell script as a program."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return [str(path)]


class Run(DeviceRun):
    """A run that counts; it needs a running event loop."""

    def __init__(self) -> None:
        self.opened = 0
        super().__init__(self._count)

    def _count(self, _run: DeviceRun) -> None:
        self.opened += 1
