"""`belvedere serve`: runs the server that a configuration file describes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from belvedere.access.rights import Role
from belvedere.app.run import run
from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config  # noqa: TC001 (cyclopts reads annotations)
from belvedere.gateway.qr_code import terminal_text_of

if TYPE_CHECKING:
    from belvedere.app.opening import Opened


def serve(*, config: Config = DEFAULT_FILE) -> int:
    """Run until a signal ends it; returns the exit status. Raises SettingsError."""
    return run(read_config(config), announce)


def announce(opened: Opened) -> None:
    """Print the address, and on a terminal the owner's link if no owner has come in yet.

    What is no terminal may be a log, which others read: there nothing is printed that lets anyone in.
    """
    if Role.OWNER not in opened.links:
        print(f"Belvedere is open: {opened.address}", flush=True)
    elif sys.stdout.isatty():
        print(f"Belvedere is open: {opened.link}\n{terminal_text_of(opened.link)}", flush=True)
    else:
        advice = "no owner has come in yet: `belvedere people invite` prints a link"
        print(f"Belvedere is open: {opened.address}; {advice}", flush=True)
