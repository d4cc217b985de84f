"""The command `belvedere`: one file a command, and one place where errors become a line and an exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from belvedere import __version__
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE_STATUS = 2  # what shells expect of a command that was called wrongly, or finds its settings wrong


def application() -> App:
    """The command with its sub-commands; each is imported only when it is called."""
    app = App(
        name="belvedere", help="Look around the home you left.", version=__version__, result_action="return_value"
    )
    app.command("belvedere.cli.demo:demo", name="demo")
    app.command("belvedere.cli.serve:serve", name="serve")
    app.command("belvedere.cli.scan:scan", name="scan")
    app.command("belvedere.cli.inspect:inspect", name="inspect")
    app.command("belvedere.cli.snoop:snoop", name="snoop")
    app.command("belvedere.cli.probe:probe", name="probe")
    app.command("belvedere.cli.doctor:doctor", name="doctor")
    config = App(name="config", help="The owner's file, belvedere.toml.")
    config.command("belvedere.cli.config:check", name="check")
    app.command(config)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit: 0 well, 1 failed, 2 called wrongly, with one line that says why."""
    status: object = None
    try:
        status = application()(arguments, exit_on_error=False, print_error=False)
    except (CycloptsError, OwnerError) as error:
        _end(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _end(problem: str) -> None:
    print(f"belvedere: {' '.join(problem.split())}", file=sys.stderr)
    sys.exit(USAGE_STATUS)
