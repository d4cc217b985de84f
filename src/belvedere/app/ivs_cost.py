"""What Amazon IVS has been used for, by months: asked of the running server, or else of the store itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.app.local_client import LocalClient, NoServerError
from belvedere.errors import OwnerError
from belvedere.store.instance_lock import state_lock
from belvedere.store.ownership import as_owner_of
from belvedere.store.participants import SavedMonth, load_months
from belvedere.store.sqlite_file import open_migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from belvedere.app.settings import Config

PATH: Final = "/api/v1/stage/ivs/hours"
HOUR_S: Final = 3600


class MonthCost(msgspec.Struct, frozen=True, kw_only=True):
    """A month, in UTC: its participant-hours, and what they cost in dollars."""

    month: str
    participant_hours: float
    usd: float


class _Hours(msgspec.Struct):
    months: list[SavedMonth]


def costs_of(
    config: Config, price_usd: float | None = None, connect: Callable[[Path], LocalClient] = LocalClient
) -> list[MonthCost]:
    """The months, newest first, at this price or that of the settings. Raises OwnerError where nobody can be asked."""
    if config.store is None:
        raise OwnerError('nothing is saved with these settings: give [store] a file, instead of file = ""')
    ivs = config.settings.stage.ivs
    price = price_usd if price_usd is not None else (ivs.price_usd if ivs is not None else 0.0)
    try:
        answer = connect(config.store.parent).request("GET", PATH)
    except NoServerError:
        months: Sequence[SavedMonth] = _saved(config.store)
    else:
        months = msgspec.convert(answer, _Hours).months
    return [cost_of(month, price) for month in months]


def cost_of(month: SavedMonth, price_usd: float) -> MonthCost:
    """What a month costs."""
    hours = month.participant_s / HOUR_S
    return MonthCost(month=month.month, participant_hours=round(hours, 3), usd=round(hours * price_usd, 2))


def cost_line(cost: MonthCost) -> str:
    """A line for people."""
    return f"{cost.month}  {cost.participant_hours:10.2f} participant-hours  {cost.usd:10.2f} USD"


def _saved(store: Path) -> list[SavedMonth]:
    if not store.exists():
        return []
    folder = store.parent
    with state_lock(folder), as_owner_of(folder), open_migrated(store) as file:
        return file.read(load_months)
