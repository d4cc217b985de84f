"""`belvedere demo`: a room and a head that do not exist, and everything else for real."""

from __future__ import annotations

import importlib.util
import webbrowser
from typing import Annotated

import msgspec
from cyclopts import Parameter

from belvedere.app.run import run
from belvedere.app.settings import DEMO, furnish
from belvedere.errors import OwnerError, SettingsError
from belvedere.gateway.parts import GatewayOptions
from belvedere.head.document import read_table


def demo(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 takes any that is free")] = 8080,
    browser: Annotated[bool, Parameter(help="open the link in this computer's browser")] = True,
) -> int:
    """Start Belvedere with a drawn room and a virtual head, and print the link to it."""
    if importlib.util.find_spec("bumble") is None:
        raise OwnerError("the demo needs bumble: pip install 'belvedere[demo]'")
    try:
        options = read_table({"host": host, "port": port}, GatewayOptions, "demo")
    except SettingsError as error:
        raise SettingsError("demo", f"--{error.key}", error.problem, error.allowed) from error
    house = furnish(msgspec.structs.replace(DEMO, server=options))

    def announce(link: str) -> None:
        print(f"\n  Belvedere is open: {link}\n\n  The link lets one browser in. Ctrl-C ends it.\n", flush=True)
        if browser:
            webbrowser.open(link)

    return run(house, announce)
