"""`belvedere tokens`: what lets scripts drive or look, for whoever may log in on the computer in the room."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config, Json  # noqa: TC001 (cyclopts reads annotations)


def tokens_list(*, config: Config = DEFAULT_FILE, json: Json = False) -> int:
    """Print the tokens, oldest first; returns the exit status. Raises OwnerError."""
    from belvedere.app.token_client import token_line, tokens_of  # noqa: PLC0415 - not needed for help

    tokens = tokens_of(read_config(config)).all()
    if json:
        _print_json(tokens)
    else:
        sys.stdout.writelines(f"{token_line(token)}\n" for token in tokens)
    return 0


def tokens_create(
    name: Annotated[str, Parameter(help="what the script is called: letters, digits and -")],
    *,
    scope: Annotated[Literal["drive", "look"], Parameter(help="the one thing that the script may do")],
    days: Annotated[float | None, Parameter(help="how long it is valid; default: until it is revoked")] = None,
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Create a token and print its secret, this once; returns the exit status. Raises OwnerError."""
    from belvedere.app.token_client import token_line, tokens_of  # noqa: PLC0415 - not needed for help

    created = tokens_of(read_config(config)).create(name, scope, days)
    if json:
        _print_json(created)
    else:
        print(created.secret)
        print(
            f"{token_line(created.token)}; send it as `Authorization: Bearer`, it is not shown again", file=sys.stderr
        )
    return 0


def tokens_revoke(
    token: Annotated[str, Parameter(help="the id or the name of a token")],
    *,
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Revoke a token: what its script drives stops at once; returns the exit status. Raises OwnerError."""
    from belvedere.app.token_client import tokens_of  # noqa: PLC0415 - not needed for help

    revoked = tokens_of(read_config(config)).revoke(token)
    if json:
        _print_json({"revoked": revoked.id})
    return 0


def _print_json(value: object) -> None:
    import msgspec  # noqa: PLC0415 - not needed for help

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
