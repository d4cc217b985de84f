"""One rig for all attacks, replaced after one that broke a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.attacks.bounds import Attacked

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    """A rig to attack."""
    with Attacked() as attacked:
        yield attacked
