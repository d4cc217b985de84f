"""`belvedere serve`: the house as the owner's file describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.run import run
from belvedere.app.settings import read_house


def serve(*, config: Annotated[Path, Parameter(help="the owner's file")] = Path("belvedere.toml")) -> int:
    """Serve the house that the file describes, and print a link that lets one browser in."""

    def announce(link: str) -> None:
        print(f"Belvedere is open: {link}", flush=True)

    return run(read_house(config), announce)
