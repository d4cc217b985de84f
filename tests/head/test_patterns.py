from __future__ import annotations

import fnmatch
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.head.patterns import confusing_name, shared_name, shortest

PATTERNS = st.lists(
    st.sampled_from(
        ["*", "?", "A", "b", "-", "[ab]", "[!a]", "[B-D]", "[c-e]", "[]x]", "[!-]", "[", "]", "[]", "[!]", "[a"]
    ),
    max_size=6,
).map("".join)
SHORT_NAMES = ["".join(name) for size in range(4) for name in itertools.product("ABCDX-[] ", repeat=size)]


def matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name.upper(), pattern.upper())


@given(PATTERNS, PATTERNS)
def test_a_shared_name_is_matched_by_both_and_there_is_none_where_it_says_so(one: str, other: str) -> None:
    shared = shared_name(one, other)
    if shared is not None:
        assert matches(shared, one)
        assert matches(shared, other)
    both = [name for name in SHORT_NAMES if matches(name, one) and matches(name, other)]
    if both:
        assert shared is not None
        assert len(shared) <= min(map(len, both))


@given(PATTERNS)
def test_the_shortest_name_of_a_pattern_is_what_it_shares_with_everything(pattern: str) -> None:
    shared = shared_name(pattern, "*")
    assert shared is None or len(shared) == shortest(pattern)


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("*", "*", ""),
        ("*", "*PAN*", "PAN"),
        ("*PONS*", "*pons*tilt*", "PONSTILT"),
        ("PONS-??", "PONS-1?", "PONS-10"),
        ("PONS-1*", "PONS-?A*", "PONS-1A"),
        ("[A-M]*", "[K-Z]*", "K"),
        ("[!A]*", "[!B]*", "0"),
        ("PAN", "pan", "PAN"),
    ],
)
def test_patterns_that_mean_the_same_devices_are_reported_with_a_name_that_fits_both(
    one: str, other: str, name: str
) -> None:
    assert confusing_name(one, other) == name
    assert confusing_name(other, one) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*PONS*PAN*", "*PONS*TILT*"),
        ("*A*", "*B*"),
        ("PAN", "TILT"),
        ("PAN?", "PAN"),
        ("[A-K]*", "[L-Z]*"),
        ("PONS-1*", "PONS-2*"),
    ],
)
def test_patterns_for_different_devices_are_accepted(one: str, other: str) -> None:
    assert confusing_name(one, other) is None


def test_long_patterns_full_of_stars_are_compared_quickly() -> None:
    assert shared_name("*A" * 31 + "*", "*B" * 31 + "*") is not None
    assert shared_name("*A" * 32 + "X", "*B" * 32 + "Y") is None
