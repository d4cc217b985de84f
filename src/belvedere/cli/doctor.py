"""`belvedere doctor`: what this computer has of what Belvedere needs, what is missing, and how to mend it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.app.settings import Reach, Settings, furnish, read_house
from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from belvedere.app.settings import House as Settled
    from belvedere.lab.doctor.check import CheckResult

DEFAULT = Path("belvedere.toml")


def doctor(
    *,
    config: Annotated[Path | None, Parameter(help="the owner's file; belvedere.toml where there is one")] = None,
    units: Annotated[bool, Parameter(help="look for the head's units, and measure their links")] = True,
    json: Annotated[bool, Parameter(help="print one JSON document", negative="")] = False,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Look this computer over: Bluetooth, units, camera, encoder, clock, space. Units are told to stop, no more."""
    config_, about_the_file = _house(config)

    async def examined() -> int:
        results = await _run_checks(config_, adapter, wants_units=units, is_virtual=virtual, is_json=json)
        return _print_results([about_the_file, *results], is_json=json)

    return run(examined())


def _house(path: Path | None) -> tuple[Settled, CheckResult]:
    """The config_ as the owner's file describes it, or as it is by default; and what is to be said of the file."""
    from belvedere.lab.doctor.check import CheckResult, CheckState  # noqa: PLC0415 - bleak is heavy

    name = "configuration"
    if path is None and not DEFAULT.exists():
        message = f"there is no {DEFAULT} here; looked at with the defaults"
        return furnish(Settings()), CheckResult(
            name, CheckState.WARNING, message, "belvedere doctor --config /path/to/belvedere.toml"
        )
    file = path or DEFAULT
    try:
        return read_house(file), CheckResult(name, CheckState.OK, f"{file} is good")
    except OwnerError as error:
        return furnish(Settings()), CheckResult(
            name, CheckState.ERROR, f"{error}; looked at with the defaults", "belvedere config check"
        )


async def _run_checks(
    config_: Settled, name: str | None, *, wants_units: bool, is_virtual: bool, is_json: bool
) -> list[CheckResult]:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.doctor.check import run_checks  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.doctor.checks import CheckContext, checks  # noqa: PLC0415 - likewise

    settings = config_.settings
    progress = Console(stderr=True)
    waiting = progress.status("looking ...") if progress.is_terminal and not is_json else nullcontext()
    async with opened_adapter(name or settings.head.adapter, config_.profile if is_virtual else None) as adapter:
        context = CheckContext(
            profile=config_.profile,
            adapter=adapter,
            stage=settings.stage,
            host=settings.server.host,
            port=settings.server.port,
            folder=config_.store.parent if config_.store is not None else Path(),
            wants_units=wants_units,
            has_guardian=settings.guardian.enabled if settings.head.reach is Reach.BLUETOOTH else None,
        )
        with waiting as status:
            return await run_checks(
                checks(context), lambda result: status.update(f"looked at: {result.name}") if status else None
            )


def _print_results(results: list[CheckResult], *, is_json: bool) -> int:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.doctor.check import CheckState, worst_state  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.doctor.view import as_json, results_table, summary  # noqa: PLC0415 - likewise

    if is_json:
        sys.stdout.write(as_json(results) + "\n")
    else:
        console = Console()
        console.print(results_table(results))
        console.print(f"\n{summary(results)}", style="bold", highlight=False)
    return int(worst_state(results) is CheckState.ERROR)
