"""Parameters that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(help="print one JSON document", negative="", show_default=False)]
Config = Annotated[Path, Parameter(help="the configuration file")]
"""For commands that act on a house. They take `DEFAULT_FILE` in this folder, and fail where there is none.

With defaults in its place they would look for a store in whatever folder somebody stands, and "closed", said of the
curtain of no house, would be worse than an error.
"""
