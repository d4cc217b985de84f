"""The option `--config` of the commands that act on a house: its server, or the store of its settings.

They take the file of this folder, and fail where there is none. With defaults in its place they would look for a store
in whatever folder somebody happens to stand: "closed", said of the curtain of no house, would be worse than an error.
"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import DEFAULT_FILE

Config = Annotated[Path, Parameter(help="the configuration file")]

__all__ = ["DEFAULT_FILE", "Config"]
