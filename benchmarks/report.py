"""The figures: a line each in the printed table, and an entry each in results.json."""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path("build/bench/results.json")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; less is better in all of them.

    Attributes:
        id: its name, which never changes.
        what: what was measured, as text.
        ours, rival: the figure and the rival's, medians of the rounds unless `what` says otherwise.
        ratio: the rival's figure divided by ours: how many times better ours is. None where there is no rival.
        unit: of both figures, the spreads and the budget.
        spread: the lowest and the highest of our rounds.
        rival_spread: likewise of the rival's.
        rival_is: who the rival is.
        budget: what ours may be at most.
        machine: where this was measured.
    """

    id: str
    what: str
    ours: float
    rival: float | None
    ratio: float | None
    unit: str
    spread: tuple[float, float]
    rival_spread: tuple[float, float] | None
    rival_is: str
    budget: float | None
    machine: str

    @property
    def is_within_budget(self) -> bool:
        """Whether it is as good as it must be."""
        return self.budget is None or self.ours <= self.budget


class Rounds(NamedTuple):
    """The same figure of several rounds."""

    figures: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.figures)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest."""
        return _rounded(min(self.figures)), _rounded(max(self.figures))


def compare(
    id: str,  # noqa: A002 - the name that results.json has for it
    what: str,
    unit: str,
    *,
    ours: Sequence[float],
    rival: Sequence[float] = (),
    rival_is: str = "",
    budget: float | None = None,
) -> Result:
    """Make a result of the rounds of both."""
    mine, theirs = Rounds(ours), Rounds(rival) if rival else None
    is_comparable = theirs is not None and _rounded(mine.median) > 0
    return Result(
        id=id,
        what=what,
        ours=_rounded(mine.median),
        rival=None if theirs is None else _rounded(theirs.median),
        ratio=_rounded(theirs.median / mine.median) if theirs is not None and is_comparable else None,
        unit=unit,
        spread=mine.spread,
        rival_spread=None if theirs is None else theirs.spread,
        rival_is=rival_is,
        budget=budget,
        machine=machine(),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values, in (0, 1], does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """The machine, and how busy it is with other things right now."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, Python {python}, load {load:.1f}"


def print_table(results: Sequence[Result]) -> None:
    """Show the figures to people."""
    rows: list[tuple[str, ...]] = [("", "ours", "spread", "rival", "spread", "rival/ours", "budget", "")]
    rows += [_row(result) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip())
    print()
    for result in results:
        against = f" Rival: {result.rival_is}." if result.rival_is else ""
        print(f"  {result.id}: {result.what}.{against}")


def write_results(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Keep the figures for programs; those of scenarios that were not run this time stay as they are."""
    kept: list[Result] = []
    if path.is_file():
        kept = msgspec.json.decode(path.read_bytes(), type=list[Result])
    newer = {result.id for result in results}
    path.parent.mkdir(parents=True, exist_ok=True)
    everything = [*(result for result in kept if result.id not in newer), *results]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(everything)) + b"\n")


def _row(result: Result) -> tuple[str, ...]:
    verdict = "" if result.budget is None else "ok" if result.is_within_budget else "ABOVE BUDGET"
    return (
        result.id,
        f"{_plain(result.ours)} {result.unit}",
        _span(result.spread),
        "" if result.rival is None else f"{_plain(result.rival)} {result.unit}",
        _span(result.rival_spread),
        "" if result.ratio is None else f"x{_plain(result.ratio)}",
        "" if result.budget is None else f"{_plain(result.budget)} {result.unit}",
        verdict,
    )


def _span(spread: tuple[float, float] | None) -> str:
    return "" if spread is None else f"{_plain(spread[0])}-{_plain(spread[1])}"


def _plain(figure: float) -> str:
    return f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def _rounded(figure: float) -> float:
    return round(figure, 3)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
