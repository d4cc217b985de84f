"""`belvedere demo`: a simulated room and head, and everything else real."""

from __future__ import annotations

import importlib.util
import webbrowser
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from belvedere.access.rights import Role
from belvedere.app.camera_argument import NAMES, parse_camera
from belvedere.app.run import run
from belvedere.app.settings import DEMO, resolve
from belvedere.errors import OwnerError, SettingsError
from belvedere.gateway.options import GatewayOptions
from belvedere.head.document import read_table

if TYPE_CHECKING:
    from belvedere.app.opening import Opened


def demo(
    *,
    host: Annotated[str, Parameter(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="port to listen on; 0 takes any free one")] = 8080,
    browser: Annotated[bool, Parameter(help="open the link in a browser; on by default", show_default=False)] = True,
    source: Annotated[str | None, Parameter(help=f"another camera than the room: {NAMES}")] = None,
) -> int:
    """Run until a signal ends it; returns the exit status. Raises OwnerError."""
    if importlib.util.find_spec("bumble") is None:
        raise OwnerError("the demo needs bumble: pip install 'belvedere[demo]'")
    try:
        options = read_table({"host": host, "port": port}, GatewayOptions, "demo")
    except SettingsError as error:  # names the key; here it was given as an option
        raise SettingsError("demo", f"--{error.key}", error.problem, error.allowed) from error
    camera = DEMO.camera if source is None else parse_camera(source)
    config = resolve(msgspec.structs.replace(DEMO, server=options, camera=camera))

    def announce(opened: Opened) -> None:
        print(f"\n  Belvedere is open: {opened.link}", flush=True)
        print(f"  The room's own page: {opened.links[Role.RESIDENT]}", flush=True)
        print("\n  Each link lets one browser in. Press Ctrl-C to stop.\n", flush=True)
        if browser:
            webbrowser.open(opened.link)

    return run(config, announce, roles=(Role.OWNER, Role.RESIDENT))
