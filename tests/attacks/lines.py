"""Lines between processes."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def print_line(line: str) -> None:
    """Print a line, unbuffered."""
    print(line, flush=True)  # noqa: T201 - the processes communicate over stdout


async def read_lines() -> AsyncIterator[str]:
    """The lines of stdin, until it ends; does not block the loop."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()
