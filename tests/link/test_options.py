"""The settings of the link."""

from __future__ import annotations

import msgspec
import pytest

from belvedere.link.options import LinkOptions


def test_the_defaults_are_allowed() -> None:
    assert msgspec.convert({}, LinkOptions) == LinkOptions()


@pytest.mark.parametrize(
    "values",
    [
        {"search_s": 0},
        {"first_interval_s": 0.001},
        {"keep_alive_every_s": 60},
        {"retry_first_s": 2.0, "retry_longest_s": 1.0},
        {"open_timeout_s": 5.0, "connect_timeout_s": 4.0},
        {"search_seconds": 1.0},
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, LinkOptions)


def test_a_unit_that_comes_back_can_be_found_within_two_seconds() -> None:
    seen_and_connected_s = 1.2
    assert LinkOptions().rest_s + seen_and_connected_s < 2


def test_times_that_just_fit_are_allowed() -> None:
    LinkOptions(retry_first_s=1.0, retry_longest_s=1.0)
    LinkOptions(search_s=1.0, connect_timeout_s=2.0, open_timeout_s=5.0)
