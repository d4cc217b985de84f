"""Mounted into the container under test: writes down what the virtual units received, when they are switched off.

Python imports a module of this name when it starts. Only in the first process, which is the server, it does anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

if os.getpid() == 1:
    from belvedere.sim import unit

    close = unit.VirtualUnit.close

    async def close_and_write(self: unit.VirtualUnit) -> None:
        """Write down the frames, each with its time, and the end; then do as before."""
        path = Path(os.environ["STATE_DIRECTORY"]) / f"{self.name}.json"
        frames = [(each.at_s, each.frame.hex()) for each in self.frames if each.is_obeyed]
        path.write_text(json.dumps(frames), encoding="utf-8")
        await close(self)

    unit.VirtualUnit.close = close_and_write  # type: ignore[method-assign] # to see what no log line tells
