"""Parameters that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(help="print one JSON document", negative="", show_default=False)]
ServerConfig = Annotated[
    Path | None, Parameter(help="configuration file of the server; default: belvedere.toml if it exists")
]
