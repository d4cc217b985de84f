"""`belvedere probe`: trial and error with care, and what it finds goes into the profile."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads what a command takes
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run, virtual_head
from belvedere.cli.validators import between
from belvedere.head.axes import Axis  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from rich.console import Console

    from belvedere.lab.probe.core import Limits
    from belvedere.lab.probe.findings import Findings
    from belvedere.lab.probe.run import ProbeResult
    from belvedere.lab.probe.script import ProbeOptions
    from belvedere.lab.probe.session import ProbedUnit


def probe(
    address: Annotated[str, Parameter(help="as `belvedere scan` shows it")],
    /,
    *,
    profile: Annotated[Path, Parameter(help="a file.toml; what is found is written into it")],
    axis: Annotated[Axis | None, Parameter(help="which unit it is, where the profile has both")] = None,
    angle: Annotated[
        float, Parameter(help="degrees between the marks for timed turns", validator=between(5, 360))
    ] = 90.0,
    drop: Annotated[bool, Parameter(help="see what it does when its link drops")] = True,
    calibrate: Annotated[bool, Parameter(help="time turns to learn its speed")] = True,
    minutes: Annotated[float, Parameter(help="the whole of it takes no longer", validator=between(0.1, 120))] = 20.0,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Find out how one unit is driven, a field at a time, slowly, with a stop after each try. Stay beside it."""
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.inspect import parse_address  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.probe.attended import report  # noqa: PLC0415 - likewise
    from belvedere.lab.probe.core import Limits  # noqa: PLC0415 - likewise
    from belvedere.lab.probe.script import ProbeOptions  # noqa: PLC0415 - likewise
    from belvedere.lab.probe.session import select_unit  # noqa: PLC0415 - likewise
    from belvedere.lab.profiles import read_profile_file  # noqa: PLC0415 - likewise

    logging.getLogger("belvedere.link").setLevel(logging.ERROR)  # what the owner must know is on the screen
    console = Console()
    probed_unit = select_unit(read_profile_file(profile), parse_address(address), axis)
    probe_options = ProbeOptions(wants_drop=drop, calibration_deg=angle)
    if not calibrate:
        probe_options = ProbeOptions(wants_drop=drop, calibration_shares=())
    limits = Limits(total_s=60 * minutes)

    async def probed() -> int:
        ending, findings = await _probe(console, probed_unit, probe_options, limits, adapter, is_virtual=virtual)
        heading = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, probe of {probed_unit.address}"
        return report(console, profile, ending, findings, heading)

    return run(probed())


async def _probe(
    console: Console,
    probed_unit: ProbedUnit,
    probe_options: ProbeOptions,
    limits: Limits,
    name: str | None,
    *,
    is_virtual: bool,
) -> tuple[ProbeResult, Findings]:
    from belvedere.lab.probe.attended import probe_at_terminal, probe_by_angle  # noqa: PLC0415 - bleak is heavy

    if not is_virtual:
        async with opened_adapter(name, None) as adapter:
            return await probe_at_terminal(
                console,
                sys.stdin.fileno(),
                probed_unit=probed_unit,
                adapter=adapter,
                probe_options=probe_options,
                limits=limits,
            )
    async with virtual_head(probed_unit.profile) as (adapter, head):
        unit = head.unit(probed_unit.axis)
        return await probe_by_angle(
            console,
            lambda: unit.angle_deg,
            probed_unit=probed_unit,
            adapter=adapter,
            probe_options=probe_options,
            limits=limits,
        )
