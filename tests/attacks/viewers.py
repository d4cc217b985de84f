"""A process of well-behaved viewers: `python -m tests.attacks.viewers ADDRESS COOKIE...`.

It prints a line when all have a picture, and for each line that it reads what they saw since the last.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
from tests.attacks.client import Session
from tests.attacks.lines import print_line, read_lines
from tests.attacks.priority import run_when_idle
from tests.attacks.watching import Viewer, watch_cheaply


async def _watch(sessions: list[Session]) -> None:
    viewers = [Viewer() for _ in sessions]
    await asyncio.gather(*(viewer.watch(session) for viewer, session in zip(viewers, sessions, strict=True)))
    print_line("watching")
    async for _line in read_lines():
        print_line(msgspec.json.encode([dict(viewer.seen) for viewer in viewers]).decode())
        for viewer in viewers:
            viewer.seen.clear()
    await asyncio.gather(*(viewer.close() for viewer in viewers))


def main() -> None:
    """Watch until the input ends."""
    run_when_idle()
    watch_cheaply()
    address, *cookies = sys.argv[1:]
    asyncio.run(_watch([Session(address, cookie) for cookie in cookies]))


if __name__ == "__main__":
    main()
