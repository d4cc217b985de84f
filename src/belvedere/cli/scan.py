"""`belvedere scan`: who is on the air, and which of them a profile knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run
from belvedere.cli.validators import between

if TYPE_CHECKING:
    from belvedere.head.profile import HeadProfile

UNWATCHED_S = 10.0  # where nobody sits in front of it, a scan ends by itself


def scan(
    *,
    profile: Annotated[str | None, Parameter(help="a file.toml whose units are marked too")] = None,
    duration_s: Annotated[
        float | None, Parameter(name="--for", help="seconds; else until Ctrl-C", validator=between(0.1, 86400))
    ] = None,
    json: Annotated[bool, Parameter(help="print one JSON document at the end", negative="")] = False,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Show the Bluetooth devices around, live, with those marked that may be a unit of your head."""
    from belvedere.lab.profiles import read_profile, shipped_profiles  # noqa: PLC0415 - bleak is heavy

    profiles = [*shipped_profiles(), *([read_profile(profile)] if profile else [])]
    return run(_scan(profiles, duration_s, adapter, is_json=json, is_virtual=virtual))


async def _scan(
    profiles: list[HeadProfile], duration_s: float | None, name: str | None, *, is_json: bool, is_virtual: bool
) -> int:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.messages import as_owner_error  # noqa: PLC0415 - likewise
    from belvedere.lab.scan import ScanResults  # noqa: PLC0415 - likewise
    from belvedere.lab.scan_view import show_json, show_lines, show_table  # noqa: PLC0415 - likewise
    from belvedere.lab.signals import handle_termination  # noqa: PLC0415 - bleak is heavy

    console = Console()
    is_watched = console.is_terminal and not is_json
    show = show_json if is_json else show_table if is_watched else show_lines
    if not is_watched and duration_s is None:
        duration_s = UNWATCHED_S
    done = asyncio.Event()
    with handle_termination(done.set), as_owner_error("cannot listen"):
        async with opened_adapter(name, profiles[-1] if is_virtual else None) as adapter:
            await show(console, ScanResults(profiles), adapter, done, duration_s)
    return 0
