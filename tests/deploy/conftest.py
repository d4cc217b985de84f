"""Marks everything in this folder `deploy`, so that no test of it runs where its tools are not."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before the items are selected by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the items of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("deploy")
