"""`belvedere restore`: puts a backup in the place of what is there."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 (cyclopts reads annotations)
from typing import Annotated

import msgspec
from cyclopts import Parameter

from belvedere.app.restore import restore as restore_backup
from belvedere.app.settings import DEFAULT_FILE
from belvedere.cli.parameters import Config, Json  # noqa: TC001 (cyclopts reads annotations)


def restore(
    file: Annotated[Path, Parameter(help="a backup, or a copy that was kept before an upgrade")],
    *,
    store_only: Annotated[
        bool, Parameter(help="leave the settings, and what they name, as they are", negative="", show_default=False)
    ] = False,
    end_sessions: Annotated[
        bool,
        Parameter(help="log all devices out, void unused links and scripts' tokens", negative="", show_default=False),
    ] = False,
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Restore a backup; returns the exit status. Raises OwnerError."""
    report = restore_backup(file, config, store_only=store_only, end_sessions=end_sessions)
    if json:
        print(msgspec.json.encode(report).decode())
        return 0
    for path in report.restored:
        print(f"restored {path}")
    for path in report.kept:
        print(f"what was there is kept in {path}")
    for warning in report.warnings:
        print(f"note: {warning}", file=sys.stderr)
    return 0
