"""`belvedere sessions`: lists the devices that are logged in, and ends a session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cyclopts import Parameter

from belvedere.app.people_client import open_people
from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config  # noqa: TC001 (cyclopts reads annotations)
from belvedere.cli.people import Json  # noqa: TC001 (cyclopts reads annotations)


def sessions_list(*, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """List all sessions; returns 0."""
    with open_people(read_config(config)) as client:
        sessions = client.sessions()
    if is_json:
        print(msgspec.json.encode(sessions).decode())
        return 0
    for each in sessions:
        seen = datetime.fromtimestamp(each.seen_utc_s, UTC).astimezone()
        print(f"{each.id}  {each.name} ({each.role.value})  {each.label or '-'}  last used {seen:%Y-%m-%d %H:00}")
    if not sessions:
        print("No device is logged in.")
    return 0


def sessions_revoke(
    session: Annotated[str, Parameter(help="the id of a session, as `belvedere sessions list` shows it")],
    *,
    config: Config = DEFAULT_FILE,
    is_json: Json = False,
) -> int:
    """End a session; returns 0."""
    with open_people(read_config(config)) as client:
        client.end_session(session)
    print(msgspec.json.encode({"id": session}).decode() if is_json else f"Session {session} has ended.")
    return 0
