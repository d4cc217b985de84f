"""`belvedere inspect`: what one device offers, and what can be read from it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run
from belvedere.cli.parameters import Json  # noqa: TC001 (cyclopts reads annotations)
from belvedere.profile_files import read_profile

if TYPE_CHECKING:
    from belvedere.head.profile import HeadProfile


def inspect(
    address: Annotated[str, Parameter(help="the device's address, as `belvedere scan` shows it")],
    /,
    *,
    profile: Annotated[
        str | None, Parameter(help="a profile (file.toml) to match in addition to the shipped ones")
    ] = None,
    json: Json = False,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Connect to one device, show its services and values, and change nothing. Raises OwnerError."""
    from belvedere.lab.inspect import parse_address  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.profiles import shipped_profiles  # noqa: PLC0415 - likewise

    profiles = [*shipped_profiles(), *([read_profile(profile, "--profile")] if profile else [])]
    return run(_inspect(parse_address(address), profiles, adapter, is_json=json, is_virtual=virtual))


async def _inspect(
    address: str, profiles: list[HeadProfile], name: str | None, *, is_json: bool, is_virtual: bool
) -> int:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.inspect import inspect as inspect_device  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.inspect_view import advice, as_json, tree  # noqa: PLC0415 - likewise
    from belvedere.lab.messages import as_owner_error  # noqa: PLC0415 - likewise
    from belvedere.lab.profiles import find_matches  # noqa: PLC0415 - likewise

    progress = Console(stderr=True)
    spinner = progress.status("") if progress.is_terminal else nullcontext()
    with as_owner_error(address), spinner as status:
        async with opened_adapter(name, profiles[-1] if is_virtual else None) as adapter:
            inspection = await inspect_device(
                address, adapter, on_step=lambda step: status.update(f"{address}: {step}") if status else None
            )
    matches = find_matches(
        profiles, inspection.address, inspection.name, [service.uuid for service in inspection.services]
    )
    if is_json:
        sys.stdout.write(as_json(inspection, matches) + "\n")
        return 0
    console = Console()
    console.print(tree(inspection))
    console.print()
    console.print(advice(inspection, matches), markup=False, highlight=False)
    return 0
