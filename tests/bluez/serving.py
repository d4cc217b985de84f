"""`belvedere serve` in a process of its own, and a client that drives through its HTTP API."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from tests.bluez.daemons import LOGS, TIMEOUT_S, until_answered

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.head.axes import Axis

RESEND_S = 0.1
START_S = 240.0  # the first one compiles all of its modules on the emulated computer
ASK_S = 1.0  # each answer costs the slow machine a tenth of a second, which the server needs
SETTINGS = """
[server]
port = 0
[link]
connect_timeout_s = 12
open_timeout_s = 40
"""


class Server:
    """A running `belvedere serve`."""

    def __init__(self, process: asyncio.subprocess.Process, link: str) -> None:
        self._process = process
        self._client = httpx.AsyncClient(base_url=link.partition("/enter/")[0], timeout=TIMEOUT_S)
        self._link = link

    async def enter(self) -> None:
        """Redeem the printed link."""
        answer = await self._client.post(self._link)
        assert answer.status_code == httpx.codes.SEE_OTHER

    async def phase(self, part: str) -> str:
        """Return the state of a unit or another part, from /readyz."""
        answer = await self._client.get("/readyz")
        return str(answer.json()["parts"][part])

    async def guarded(self) -> None:
        """Wait until its guardian watches."""

        async def is_watched() -> bool:
            return await self.phase("guardian") == "watching"

        await until_answered(is_watched, "the guardian watches", every_s=ASK_S)

    @property
    def guardian(self) -> int | None:
        """The process of its guardian, if there is one."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        return int(children.split()[0]) if children else None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def ready(self, *axes: Axis) -> None:
        """Wait until these units take commands."""
        for axis in axes:

            async def is_ready(axis: Axis = axis) -> bool:
                return await self.phase(axis) == "ready"

            await until_answered(is_ready, f"{axis} is ready", every_s=ASK_S)

    @asynccontextmanager
    async def driven(self, **velocity: float) -> AsyncIterator[None]:
        """Drive as a script does: repeat the command, then stop repeating it without a stop command."""

        async def drive() -> None:
            while True:
                with suppress(httpx.HTTPError):  # the server may end meanwhile
                    await self._client.post("/api/v1/head/velocity", json=velocity)
                await asyncio.sleep(RESEND_S)

        driving = asyncio.create_task(drive())
        try:
            yield
        finally:
            driving.cancel()
            await asyncio.wait({driving})

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end; returns its exit status."""
        self._process.send_signal(number)
        async with timeout(TIMEOUT_S):
            return await self._process.wait()

    async def close(self) -> None:
        """Kill it if it is still running."""
        await self._client.aclose()
        if self._process.returncode is None:
            await self.end(signal.SIGKILL)


@asynccontextmanager
async def serving(folder: Path, module: str = "belvedere.cli", changes: str = "") -> AsyncIterator[Server]:
    """Start a server with mostly default settings plus `changes`, and redeem its link."""
    settings = folder / "belvedere.toml"
    settings.write_text(SETTINGS + changes, encoding="utf-8")
    with (LOGS / "serve.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *("python3", "-m", module, "serve", "--config", str(settings)),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    async with timeout(START_S):
        line = (await process.stdout.readline()).decode()
    server = Server(process, line.rpartition(" ")[2].strip())
    try:
        await server.enter()
        yield server
    finally:
        await server.close()
