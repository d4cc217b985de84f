"""What the commands of the lab share: the adapter (`--virtual`: that of the demo's head), and a way to their end."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from belvedere.app.run import leave_anyway
from belvedere.errors import OwnerError
from belvedere.link.options import AdapterName as BluezName

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Coroutine

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.sim.head import VirtualHead


def _check_adapter(_type: object, name: str | None) -> None:
    """Raises ValueError, which cyclopts tells as it does its own."""
    try:
        msgspec.convert(name, BluezName | None)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name} (allowed: hci0, hci1, ..., or its address)") from error


AdapterName = Annotated[
    str | None,
    Parameter(help="the adapter where there are several: hci1, or its address", validator=_check_adapter),
]
Virtual = Annotated[bool, Parameter(help="practise on the demo's head, which does not exist")]


LEAVE_S = 3.0  # whatever was to be said is said; a call that ignores its own cancelling must not keep the shell waiting


def run(command: Coroutine[Any, Any, int]) -> int:
    """Run a command to its end and return its exit status, even if a call into Bluetooth never ends."""
    timers: list[threading.Timer] = []

    async def ended() -> int:
        status = await command
        sys.stdout.flush()
        timers.append(leave_anyway(status, LEAVE_S))
        return status

    try:
        return asyncio.run(ended())
    finally:
        for timer in timers:
            timer.cancel()


@asynccontextmanager
async def opened_adapter(name: str | None, profile: HeadProfile | None) -> AsyncIterator[Adapter]:
    """This computer's adapter; or, with the profile of a head that does not exist, one that reaches that head."""
    from belvedere.lab.adapter import Adapter  # noqa: PLC0415 - bleak is heavy, and not every command needs it

    if profile is None:
        yield Adapter(name=name)
        return
    async with virtual_head(profile) as (adapter, _head):
        yield adapter


@asynccontextmanager
async def virtual_head(profile: HeadProfile) -> AsyncIterator[tuple[Adapter, VirtualHead]]:
    """A head that does not exist, and an adapter that reaches it. Raises OwnerError where it cannot be made."""
    if importlib.util.find_spec("bumble") is None:
        raise OwnerError("--virtual needs bumble: pip install 'belvedere[demo]'")
    from belvedere.lab.adapter import Adapter  # noqa: PLC0415 - bleak is heavy, and not every command needs it
    from belvedere.sim.head import VirtualHead  # noqa: PLC0415 - bumble is heavy, and only here when asked for

    async with VirtualHead(profile) as head:
        yield Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend), head
