"""The visit book of the running server, for commands: asked for over the local socket, and written as lines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.app.local_client import LocalClient
from belvedere.errors import OwnerError
from belvedere.store.visits import SavedVisit

if TYPE_CHECKING:
    from belvedere.app.settings import Config

PATH: Final = "/api/v1/room/visits"
PAGE: Final = 500
MINUTE_S: Final = 60


class _Page(msgspec.Struct):
    visits: list[SavedVisit]
    more: bool


def visit_book_of(config: Config) -> VisitBookClient:
    """The visit book of the server with these settings. Raises OwnerError where they have no store."""
    if config.store is None:
        raise OwnerError('there is no visit book: [store] file is ""')
    return VisitBookClient(LocalClient(config.store.parent))


class VisitBookClient:
    """The methods raise OwnerError where the server does not run, or refuses."""

    def __init__(self, client: LocalClient) -> None:
        self._client = client

    def visits(self) -> list[SavedVisit]:
        """All visits, the newest first."""
        visits: list[SavedVisit] = []
        query = f"limit={PAGE}"
        while True:
            answer = self._client.request("GET", f"{PATH}?{query}")
            page = _page(answer)
            visits += page.visits
            if not page.more or not page.visits:
                return visits
            query = f"limit={PAGE}&before={page.visits[-1].id}"

    def delete(self, visit_id: str) -> None:
        """Delete one visit."""
        self._client.request("DELETE", f"{PATH}/{visit_id}")

    def export(self, *, is_csv: bool) -> bytes:
        """The whole book as a file."""
        return self._client.fetch(f"{PATH}/export?format={'csv' if is_csv else 'json'}")


def _page(answer: object) -> _Page:
    try:
        return msgspec.convert(answer, _Page)
    except msgspec.ValidationError as error:
        raise OwnerError(f"the server's visit book is of another version: {error}") from error


def visit_line(visit: SavedVisit) -> str:
    """One visit as a line: its id, when it began by this computer's time zone, how long it lasted, who and what."""
    began = datetime.fromtimestamp(visit.began_utc_s).astimezone().strftime("%Y-%m-%d %H:%M")
    deeds = [
        f"looked {_duration(visit.looked_s)} by {' and '.join(visit.ways)}" if visit.ways else "",
        f"{_duration(visit.participant_s)} billed by Amazon IVS" if visit.participant_s else "",
        f"drove {_duration(visit.drove_s)}" if visit.drove_s else "",
        _count(visit.stills, "still"),
        _count(visit.knocks, "knock"),
        _count(visit.refusals, "refusal"),
    ]
    return (
        f"{visit.id}  {began}  {_duration(visit.lasted_s):>7}  {visit.name}: {', '.join(filter(None, deeds)) or 'came'}"
    )


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, MINUTE_S)
    return f"{minutes} min" if minutes else f"{rest} s"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""
