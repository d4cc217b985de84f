"""Range checks for numbers on the command line; NaN lies within no range."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def between(minimum: float, maximum: float) -> Callable[[object, float | None], None]:
    """A validator for cyclopts that names the allowed range."""

    def check(_type: object, value: float | None) -> None:
        if value is not None and not minimum <= value <= maximum:
            raise ValueError(f"{value:g} (allowed: {minimum:g} to {maximum:g})")

    return check
