"""Belvedere's server as an owner starts it, in a process of its own, and a script that drives through it."""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from tests.bluez.daemons import LOGS
from tests.bluez.deadlines import TIMEOUT_S, outcome_of, until_answered
from tests.bluez.responsiveness import NO_CERTIFICATES

from belvedere.app.people_client import PEOPLE
from belvedere.gateway.local_socket import SOCKET_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.head.axes import Axis

RESEND_S = 0.1
START_S = 240.0  # the first one compiles all of its modules on the emulated computer
ASK_S = 1.0  # each answer costs the machine a tenth of a second, which the server needs for its work
SETTINGS = """
[server]
port = 0
[link]
search_s = 4
connect_timeout_s = 30
open_timeout_s = 120
"""


class Server:
    """`belvedere serve`, once it has printed its address."""

    def __init__(self, process: asyncio.subprocess.Process, address: str, folder: Path) -> None:
        self._process = process
        self._client = httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S, verify=NO_CERTIFICATES)
        self._folder = folder

    async def enter(self) -> None:
        """Come in as the only visitor, by an invitation that the house's own computer makes."""
        shell = httpx.AsyncHTTPTransport(uds=str(self._folder / SOCKET_NAME), verify=NO_CERTIFICATES)
        async with httpx.AsyncClient(transport=shell, base_url="http://localhost", timeout=TIMEOUT_S) as local:
            person = (await local.post(PEOPLE, json={"name": "Visitor", "role": "visitor"})).json()["id"]
            secret = (await local.post(f"{PEOPLE}/{person}/invitations")).json()["secret"]
        answer = await self._client.post("/api/v1/login/invitation", json={"secret": secret})
        assert answer.status_code == httpx.codes.OK

    async def phase(self, part: str) -> str:
        """The phase of a unit or another part, as reported by `/readyz`."""
        answer = await self._client.get("/readyz")
        return str(answer.json()["parts"][part])

    async def guarded(self) -> None:
        """Wait until its guardian is watching."""

        async def is_watched() -> bool:
            return await self.phase("guardian") == "watching"

        await until_answered(is_watched, "the guardian watches", every_s=ASK_S)

    @property
    def guardian(self) -> int | None:
        """The process of its guardian, if there is one."""
        children = ""
        with suppress(FileNotFoundError):  # the server has ended
            children = Path(f"/proc/{self.number}/task/{self.number}/children").read_text(encoding="ascii")
        return int(children.split()[0]) if children else None

    @property
    def number(self) -> int:
        """Its process."""
        return self._process.pid

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
        """Drive as a script does: repeat the command, and end without a stop."""

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
        return await outcome_of(self._process.wait(), "the server has ended")

    async def close(self) -> None:
        """Kill it, if it is still running."""
        await self._client.aclose()
        if self._process.returncode is None:
            await self.end(signal.SIGKILL)


@asynccontextmanager
async def serving(folder: Path, module: str = "belvedere.cli", changes: str = "") -> AsyncIterator[Server]:
    """Start it with nearly the default settings, plus these changes, and come in."""
    settings = folder / "belvedere.toml"
    settings.write_text(SETTINGS + changes, encoding="utf-8")
    with (LOGS / "serve.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *("python3", "-X", "faulthandler", "-m", module, "serve", "--config", str(settings)),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    line = (await outcome_of(process.stdout.readline(), "the server has printed its address", START_S)).decode()
    found = re.search(r"http://[^\s;]+", line)
    assert found is not None, line
    server = Server(process, found[0], folder)
    try:
        await server.enter()
        yield server
    finally:
        await server.close()
