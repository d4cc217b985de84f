"""`belvedere curtain`: closes, opens and shows the room's curtain."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from belvedere.app.curtain import Curtain
from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config  # noqa: TC001 (cyclopts reads annotations)

if TYPE_CHECKING:
    from belvedere.app.curtain import CurtainReport

Json = Annotated[bool, Parameter(name="--json", negative="", help="print JSON, for programs")]


def curtain_close(*, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """Close the curtain; returns 0 if it is closed and a restart knows it, and 1 if only the first is so."""
    report = Curtain(read_config(config).store).close()
    _print(report, is_json=is_json)
    return 0 if report.closed and report.saved else 1


def curtain_open(*, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """Open the curtain; returns 0 if it is open."""
    report = Curtain(read_config(config).store).open()
    _print(report, is_json=is_json)
    return 1 if report.closed else 0


def curtain_status(*, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """Show the curtain; returns 0."""
    _print(Curtain(read_config(config).store).status(), is_json=is_json)
    return 0


def _print(report: CurtainReport, *, is_json: bool) -> None:
    if is_json:
        print(msgspec.json.encode(report).decode())
        return
    state = "closed" if report.closed else "open"
    print(f"The curtain is {state}." if report.running else f"No server runs; it starts with the curtain {state}.")
    if not report.saved:
        print("This is not saved, so a restart may not know it: look at the log.", file=sys.stderr)
