from __future__ import annotations

import gc

import pytest
from tests.support.processor_time import bounded_processor_time


def test_what_computes_for_too_long_is_noticed() -> None:
    with pytest.raises(AssertionError), bounded_processor_time(0.01):
        sum(range(3_000_000))


def test_nothing_is_collected_meanwhile() -> None:
    with bounded_processor_time(60):
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_of_the_block_passes_and_collections_go_on() -> None:
    with pytest.raises(ValueError, match="invalid literal"), bounded_processor_time(60):
        int("no number")
    assert gc.isenabled()
