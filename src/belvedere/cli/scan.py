"""`belvedere scan`: which Bluetooth devices are near, and which of them match a profile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run
from belvedere.cli.parameters import Json  # noqa: TC001 (cyclopts reads annotations)
from belvedere.cli.validators import between
from belvedere.profile_files import read_profile
from belvedere.signals import handle_termination

if TYPE_CHECKING:
    from belvedere.head.profile import HeadProfile

UNATTENDED_S = 10.0  # where nobody sits at the terminal to press Ctrl-C, a scan ends by itself


def scan(
    *,
    profile: Annotated[
        str | None, Parameter(help="a profile (file.toml) to match in addition to the shipped ones")
    ] = None,
    duration_s: Annotated[
        float | None,
        Parameter(name="--for", help="how many seconds to scan; default: until Ctrl-C", validator=between(0.1, 86400)),
    ] = None,
    json: Json = False,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Show the Bluetooth devices nearby and mark the units of known heads. Raises OwnerError."""
    from belvedere.lab.profiles import shipped_profiles  # noqa: PLC0415 - bleak is heavy

    profiles = [*shipped_profiles(), *([read_profile(profile, "--profile")] if profile else [])]
    return run(_scan(profiles, duration_s, adapter, is_json=json, is_virtual=virtual))


async def _scan(
    profiles: list[HeadProfile], duration_s: float | None, name: str | None, *, is_json: bool, is_virtual: bool
) -> int:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.messages import as_owner_error  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.scan import ScanResults  # noqa: PLC0415 - likewise
    from belvedere.lab.scan_view import show_json, show_lines, show_table  # noqa: PLC0415 - likewise

    console = Console()
    is_attended = console.is_terminal and not is_json
    show = show_json if is_json else show_table if is_attended else show_lines
    if not is_attended and duration_s is None:
        duration_s = UNATTENDED_S
    done = asyncio.Event()
    with handle_termination(done.set), as_owner_error("cannot scan"):
        async with opened_adapter(name, profiles[-1] if is_virtual else None) as adapter:
            await show(console, ScanResults(profiles), adapter, done, duration_s)
    return 0
