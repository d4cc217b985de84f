"""The fixture of all tests of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.faults.stack import open_stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.stack import Stack


@pytest.fixture
def stack() -> Callable[..., AbstractAsyncContextManager[Stack]]:
    """Opens a server over virtual units."""
    return open_stack
