"""Lines between processes."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def print_line(line: str) -> None:
    """Print one, at once."""
    print(line, flush=True)  # noqa: T201 - that is how the processes speak


async def read_lines() -> AsyncIterator[str]:
    """What comes in, until it ends; the loop goes on meanwhile."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()
