"""What each month costs, by the running server, or by the store where none runs."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from belvedere.app.ivs_cost import MonthCost, cost_line, cost_of, costs_of
from belvedere.app.local_client import LocalClient, NoServerError
from belvedere.app.settings import Config, Settings, StoreSettings, resolve
from belvedere.errors import OwnerError
from belvedere.store.participants import SavedMonth, save_month
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

DECEMBER = SavedMonth(month="2026-12", participant_s=36_000)


class Server(LocalClient):
    """Answers with the hours of a month, or does not run."""

    def __init__(self, *, runs: bool) -> None:
        self.runs = runs
        self.requests: list[tuple[str, str]] = []

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - as LocalClient has it
        assert body is None
        self.requests.append((method, path))
        if not self.runs:
            raise NoServerError("no server runs here")
        months = [{"month": "2026-12", "participant_s": 36_000}]
        return {"months": months, "price_usd": 9.0, "monthly_hours": 0, "is_used_up": False, "is_saving": True}


def config(folder: Path) -> Config:
    settings = msgspec.structs.replace(Settings(), store=StoreSettings(file="it.sqlite3"))
    return resolve(settings, folder=folder)


def test_the_running_server_is_asked(tmp_path: Path) -> None:
    server = Server(runs=True)
    costs = costs_of(config(tmp_path), 0.072, lambda _folder: server)
    assert costs == [MonthCost(month="2026-12", participant_hours=10.0, usd=0.72)]
    assert server.requests == [("GET", "/api/v1/stage/ivs/hours")]


def test_without_a_server_the_store_is_read(tmp_path: Path) -> None:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as file:
        file.migrate()
        file.write(functools.partial(save_month, month=DECEMBER))
    costs = costs_of(config(tmp_path), 1.0, lambda _folder: Server(runs=False))
    assert costs == [MonthCost(month="2026-12", participant_hours=10.0, usd=10.0)]


def test_a_store_that_does_not_exist_is_not_created(tmp_path: Path) -> None:
    assert costs_of(config(tmp_path), 1.0, lambda _folder: Server(runs=False)) == []
    assert list(tmp_path.iterdir()) == []


def test_without_a_store_nobody_can_be_asked() -> None:
    settings = msgspec.structs.replace(Settings(), store=StoreSettings(file=""))
    with pytest.raises(OwnerError, match="store"):
        costs_of(resolve(settings), 1.0)


def test_a_cost_is_rounded_to_cents_and_shown_in_a_line() -> None:
    cost = cost_of(SavedMonth(month="2026-12", participant_s=12_345), 0.072)
    assert cost == MonthCost(month="2026-12", participant_hours=3.429, usd=0.25)
    assert cost_line(cost) == "2026-12        3.43 participant-hours        0.25 USD"
