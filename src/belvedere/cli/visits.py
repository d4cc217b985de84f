"""`belvedere visits`: the room's visit book, for whoever may log in on the computer in the room."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config, Json  # noqa: TC001 (cyclopts reads annotations)


def visits_list(*, config: Config = DEFAULT_FILE, json: Json = False) -> int:
    """Print the visits, the newest first; returns the exit status. Raises OwnerError."""
    import msgspec  # noqa: PLC0415 - not needed for help

    from belvedere.app.visit_book_client import visit_book_of, visit_line  # noqa: PLC0415 - likewise

    visits = visit_book_of(read_config(config)).visits()
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(visits), indent=2).decode() + "\n")
    else:
        sys.stdout.writelines(f"{visit_line(visit)}\n" for visit in visits)
    return 0


def visits_delete(
    *visits: Annotated[str, Parameter(help="the ids of visits, as `belvedere visits list` shows them")],
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Delete visits; returns the exit status. Raises OwnerError for the first that could not be deleted."""
    import msgspec  # noqa: PLC0415 - not needed for help

    from belvedere.app.visit_book_client import visit_book_of  # noqa: PLC0415 - likewise

    book = visit_book_of(read_config(config))
    for visit in visits:
        book.delete(visit)
    if json:
        sys.stdout.write(msgspec.json.encode({"deleted": visits}).decode() + "\n")
    return 0


def visits_export(
    *,
    csv: Annotated[bool, Parameter(help="print a table for spreadsheets", negative="", show_default=False)] = False,
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Print the whole visit book, as JSON unless told otherwise; returns the exit status. Raises OwnerError."""
    from belvedere.app.visit_book_client import visit_book_of  # noqa: PLC0415 - not needed for help
    from belvedere.errors import OwnerError  # noqa: PLC0415 - likewise

    if csv and json:
        raise OwnerError("--csv and --json: choose one")
    content = visit_book_of(read_config(config)).export(is_csv=csv)
    sys.stdout.buffer.write(content)
    return 0
