"""`belvedere probe`: learns how a unit is driven, by small trial moves, and writes the results into its profile."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations of a command
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run, virtual_head
from belvedere.cli.validators import between
from belvedere.head.axes import Axis  # noqa: TC001 - likewise
from belvedere.profile_files import read_profile_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from belvedere.lab.probe.core import Limits
    from belvedere.lab.probe.findings import Findings
    from belvedere.lab.probe.run import ProbeResult
    from belvedere.lab.probe.script import ProbeOptions
    from belvedere.lab.probe.session import ProbedUnit


def probe(
    address: Annotated[str, Parameter(help="the unit's address, as `belvedere scan` shows it")],
    /,
    *,
    profile: Annotated[Path, Parameter(help="the profile (file.toml) to start from; results are written into it")],
    axis: Annotated[Axis | None, Parameter(help="the axis this unit turns; needed if the profile has both")] = None,
    angle: Annotated[
        float, Parameter(help="degrees between the two marks for timed turns", validator=between(5, 360))
    ] = 90.0,
    drop: Annotated[
        bool,
        Parameter(
            help="drop the link while the unit turns, to see whether it stops; on by default", show_default=False
        ),
    ] = True,
    calibrate: Annotated[
        bool, Parameter(help="time turns between two marks, to learn the speed; on by default", show_default=False)
    ] = True,
    minutes: Annotated[float, Parameter(help="time limit for the whole probe", validator=between(0.1, 120))] = 20.0,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Probe one unit; returns 0 where it ended well and the unit is at rest. Raises OwnerError."""
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.inspect import parse_address  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.probe.attended import report  # noqa: PLC0415 - likewise
    from belvedere.lab.probe.core import Limits  # noqa: PLC0415 - likewise
    from belvedere.lab.probe.script import ProbeOptions  # noqa: PLC0415 - likewise
    from belvedere.lab.probe.session import select_unit  # noqa: PLC0415 - likewise

    console = Console()
    probed_unit = select_unit(read_profile_file(profile), parse_address(address), axis)
    probe_options = ProbeOptions(wants_drop=drop, calibration_deg=angle)
    if not calibrate:
        probe_options = ProbeOptions(wants_drop=drop, calibration_shares=())
    limits = Limits(total_s=60 * minutes)

    async def probed() -> int:
        result, findings = await _probe(console, probed_unit, probe_options, limits, adapter, is_virtual=virtual)
        heading = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, probe of {probed_unit.address}"
        return report(console, profile, result, findings, heading)

    with _quiet("belvedere.link"):  # the screen already says what the owner must know
        return run(probed())


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Log only errors of this package while in here."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


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
