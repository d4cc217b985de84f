"""`belvedere backup`: writes all that must survive a lost disk into one file."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (cyclopts reads annotations)
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from belvedere.app.backup import back_up
from belvedere.app.settings import DEFAULT_FILE
from belvedere.cli.parameters import Config, Json  # noqa: TC001 (cyclopts reads annotations)

if TYPE_CHECKING:
    from belvedere.app.backup import BackupReport

KIBI = 1024


def backup(
    file: Annotated[Path, Parameter(help="where to write it")],
    *,
    with_secrets: Annotated[
        bool, Parameter(help="include passwords and keys that the settings name", negative="", show_default=False)
    ] = False,
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Write a backup; returns the exit status. Raises OwnerError."""
    report = back_up(config, file, with_secrets=with_secrets)
    print(msgspec.json.encode(report).decode() if json else _text_of(report))
    return 0


def _text_of(report: BackupReport) -> str:
    what = ", ".join((f"the store (version {report.schema})", *report.files))
    lines = [f"{report.file}: {report.size / KIBI:.0f} KiB with {what}"]
    if report.left_out:
        lines.append(f"Not in it: {', '.join(report.left_out)}. Keep them yourself, or see --with-secrets.")
    return "\n".join(lines)
