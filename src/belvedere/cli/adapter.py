"""What the Bluetooth commands share: their common options, the adapter they use, and an exit that cannot hang."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from belvedere.app.run import force_exit
from belvedere.errors import OwnerError
from belvedere.link.options import AdapterName as BluezName

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Coroutine

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.sim.head import VirtualHead


def _check_adapter(_type: object, name: str | None) -> None:
    """Raises ValueError, which cyclopts reports like its own errors."""
    try:
        msgspec.convert(name, BluezName | None)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name} (allowed: hci0, hci1, ..., or its address)") from error


AdapterName = Annotated[
    str | None,
    Parameter(help="Bluetooth adapter to use: hci1, or its address; default: the first", validator=_check_adapter),
]
Virtual = Annotated[bool, Parameter(help="use the demo's simulated head", negative="", show_default=False)]

EXIT_TIMEOUT_S = 3.0  # all output is printed by then; a call that ignores its cancellation must not block the shell


def run(command: Coroutine[Any, Any, int]) -> int:
    """Run a command and return its exit status, even if a Bluetooth call never returns."""
    timers: list[threading.Timer] = []

    async def run_then_arm_exit() -> int:
        status = await command
        sys.stdout.flush()
        timers.append(force_exit(status, EXIT_TIMEOUT_S))
        return status

    try:
        return asyncio.run(run_then_arm_exit())
    finally:
        for timer in timers:
            timer.cancel()


@asynccontextmanager
async def opened_adapter(name: str | None, profile: HeadProfile | None) -> AsyncIterator[Adapter]:
    """This computer's adapter; or, with the profile of a simulated head, one that reaches that head."""
    from belvedere.lab.adapter import Adapter  # noqa: PLC0415 - bleak is heavy, and not every command needs it

    if profile is None:
        yield Adapter(name=name)
        return
    async with virtual_head(profile) as (adapter, _head):
        yield adapter


@asynccontextmanager
async def virtual_head(profile: HeadProfile) -> AsyncIterator[tuple[Adapter, VirtualHead]]:
    """A simulated head, and an adapter that reaches it. Raises OwnerError where bumble is not installed."""
    if importlib.util.find_spec("bumble") is None:
        raise OwnerError("--virtual needs bumble: pip install 'belvedere[demo]'")
    from belvedere.lab.adapter import Adapter  # noqa: PLC0415 - bleak is heavy, and not every command needs it
    from belvedere.sim.head import VirtualHead  # noqa: PLC0415 - bumble is heavy, and only needed with --virtual

    async with VirtualHead(profile) as head:
        yield Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend), head
