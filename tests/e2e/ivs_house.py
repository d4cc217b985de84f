"""A house whose pages watch through Amazon IVS: the whole program and a stand-in for IVS, each in its own thread."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.e2e.conftest import RunningServer
from tests.e2e.lone_browser import WAIT_TIMEOUT_S
from tests.stage.ivs.tokens import KEY, STAGE
from tests.support.ivs_stand_in import IvsStandIn

from belvedere.app.settings import DEMO
from belvedere.secret import Secret
from belvedere.stage.ivs_options import IvsOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from belvedere.stage.options import Way

T = TypeVar("T")

PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
KEY_ARN = "arn:aws:ivs:eu-central-1:123456789012:public-key/abcdEFGHijkl"


class IvsHouse:
    """The program and the stand-in; its methods may be called from the test's thread."""

    def __init__(self, server: RunningServer, stand_in: IvsStandIn, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.stand_in = stand_in
        self._loop = loop
        ivs = server._belvedere.ivs
        assert ivs is not None
        server.do(lambda: setattr(ivs.participants.leavers, "_disconnect", self._disconnect))  # instead of AWS

    def do(self, what: Callable[[], T]) -> T:
        """Call something on the stand-in's event loop."""

        async def there() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(WAIT_TIMEOUT_S)

    def wait(self, what: str, condition: Callable[[], T]) -> T:
        """Wait until a condition holds, checked on the stand-in's event loop; returns its value."""

        async def there() -> T:
            while not (result := condition()):  # noqa: ASYNC110 (what is waited for has no event)
                await asyncio.sleep(0.01)
            return result

        try:
            return asyncio.run_coroutine_threadsafe(there(), self._loop).result(WAIT_TIMEOUT_S)
        except TimeoutError as error:
            raise AssertionError(f"timed out waiting for: {what}") from error

    def cameras(self) -> list[str]:
        """The participants who publish and are connected."""
        return self.do(lambda: [each.participant for each in self.stand_in.cameras if each.is_connected])

    async def _disconnect(self, participant: str) -> None:
        self._loop.call_soon_threadsafe(self.stand_in.disconnect, participant)


@contextmanager
def ivs_house(folder: Path, *ways: Way) -> Iterator[IvsHouse]:
    """Run both, until the end of the block; the program must exit with status 0."""
    opened: list[tuple[IvsStandIn, asyncio.AbstractEventLoop]] = []
    is_open, is_over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with IvsStandIn(KEY.public_key()) as stand_in:
            opened.append((stand_in, asyncio.get_running_loop()))
            is_open.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="ivs")
    thread.start()
    try:
        assert is_open.wait(WAIT_TIMEOUT_S), "the stand-in did not start"
        stand_in, loop = opened[0]
        options = IvsOptions(
            stage_arn=STAGE,
            key=Secret(PEM),
            key_arn=KEY_ARN,
            events_url=stand_in.events_url,
            whip_url=stand_in.whip_url,
        )
        stage = msgspec.structs.replace(DEMO.stage, ways=ways, ivs=options)
        server = RunningServer(store=folder / "belvedere.sqlite", stage=stage)
        try:
            yield IvsHouse(server, stand_in, loop)
        finally:
            server.close()
    finally:
        is_over.set()
        thread.join(WAIT_TIMEOUT_S)
