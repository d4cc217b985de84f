"""Bounds on the numbers of a command line; NaN lies within none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def between(least: float, most: float) -> Callable[[object, float | None], None]:
    """A validator for cyclopts, which says what is allowed."""

    def check(_type: object, value: float | None) -> None:
        if value is not None and not least <= value <= most:
            raise ValueError(f"{value:g} (allowed: {least:g} to {most:g})")

    return check
