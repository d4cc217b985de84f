"""Keeps this process, which is the machine's radio chip, able to answer, and records when it was not.

A real chip answers a command within a millisecond, whatever the computer's processors do. Linux waits two seconds, and
then takes the chip for broken: a scan that was to end then never does. On an emulated processor, two seconds are soon
over: they were, while this process imported what its first request to the server needed, or read all certificates.
"""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from tests.support.loop_watchdog import LoopWatchdog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STALL_S = 0.5  # a quarter of what Linux allows
BEAT_S = 0.1  # more often would cost the emulated computer what it is to save
LOWEST_REALTIME_PRIORITY = 1
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading them takes most of a second


def prefer_this_process() -> None:
    """Let it run whenever it can, before all others of the machine; those that it starts are ordinary ones."""
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(LOWEST_REALTIME_PRIORITY))


def make_first_request() -> None:
    """Have httpx import, while there is no chip yet, what it imports with a first request only."""
    asyncio.run(_request())


def spare_garbage_collections() -> None:
    """Leave what was imported out of all collections: looking through it takes most of a second."""
    gc.collect()
    gc.freeze()


@contextmanager
def stalls_logged(log: Path) -> Iterator[None]:
    """Write to this file each time that the event loop was held for long, and by what."""
    with LoopWatchdog(stall_s=STALL_S, beat_s=BEAT_S) as watchdog:
        try:
            yield
        finally:
            stalls = watchdog.take().stalls
            with log.open("a", encoding="utf-8") as file:
                file.writelines(f"{stall}\n" for stall in stalls)


async def _request() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server, httpx.AsyncClient(verify=NO_CERTIFICATES) as client:
        answer = await client.get("http://{}:{}/".format(*server.sockets[0].getsockname()))
        assert answer.status_code == httpx.codes.NO_CONTENT


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await writer.drain()
    writer.close()
