"""The adapter that a command of the lab works with: this computer's, or with `--virtual` that of the demo's head."""

from __future__ import annotations

import importlib.util
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.sim.head import VirtualHead

AdapterName = Annotated[
    str | None, Parameter(help="BlueZ's name of the adapter, such as hci1, where there are several")
]
Virtual = Annotated[bool, Parameter(help="practise on the demo's head, which does not exist")]


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
