"""One rig for all attacks, renewed after one that broke it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.attacks.bounds import Attacked

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    """A house to attack."""
    with Attacked() as attacked:
        yield attacked
