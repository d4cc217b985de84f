"""What publishing to Amazon IVS adds to a picture that is encoded anyway; the stand-in for IVS is another process."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from typing import TYPE_CHECKING

from tests.stage.direct.watching import until
from tests.stage.ivs.tokens import TokensOfATest
from tests.support.ivs_stand_in import IvsStandIn

from belvedere.stage.ivs.publisher import Publisher
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage
from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from belvedere.stage.viewer import Viewer

ROUNDS = 3
CPU_S = 8.0
BUDGET_PERCENT = 1.0
WAIT_S = 30.0
OPTIONS = StageOptions(preset="ultrafast")  # else the first rounds would measure another preset than the later ones


class Address:
    """Where a stand-in of another process is."""

    def __init__(self, port: int) -> None:
        self.whip_url = f"http://127.0.0.1:{port}/whip"
        self.events_url = f"ws://127.0.0.1:{port}/events"


def run() -> list[Result]:
    """Measure a core's share with and without publishing, in turn."""
    with _stand_in() as address:
        added = asyncio.run(_measure(address))
    what = "what publishing to Amazon IVS adds, from the encode at 1280x720 that others watch, of a core"
    return [compare("ivs-publishing", what, "%", ours=added, budget=BUDGET_PERCENT)]


async def _measure(address: Address) -> list[float]:
    stage = Stage(PatternSource, OPTIONS, on_viewers=lambda _count: None)
    publisher = Publisher(stage, OPTIONS, TokensOfATest(address))
    viewer = stage.admit("somebody", publisher)
    viewer.receive_connected()
    watching = asyncio.ensure_future(_take_all(viewer))
    added = []
    for _ in range(ROUNDS):
        without = await _percent()
        publisher.permit()
        publisher.receive_participants(1)
        await until(lambda: publisher.is_publishing, WAIT_S)
        added.append(await _percent() - without)
        publisher.forbid()
    await publisher.close()
    await stage.close()
    await watching
    return added


async def _take_all(viewer: Viewer) -> None:
    while await viewer.subscriber.next_frame() is not None:
        pass


async def _percent() -> float:
    """The processor time of this process, all threads, as a share of one core."""
    await asyncio.sleep(1)
    began, used = time.monotonic(), time.process_time()
    await asyncio.sleep(CPU_S)
    return (time.process_time() - used) / (time.monotonic() - began) * 100


@contextlib.contextmanager
def _stand_in() -> Iterator[Address]:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Address(ours.recv())
    finally:
        ours.send(None)
        process.join(WAIT_S)


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        async with IvsStandIn() as stand_in:
            pipe.send(stand_in.port)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())
