"""Only what authenticators may write passes: whatever a decoder could make of the rest, it never gets to see it."""

from __future__ import annotations

import contextlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.processor_time import bounded_processor_time

from belvedere.access.plain_cbor import MAX_LEVELS, end_of_item, require_plain

SCALARS = st.integers(-(2**63), 2**63) | st.binary() | st.text() | st.booleans() | st.none()
ITEMS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(-9, 9), inner))


def levels_of(item: object) -> int:
    inner = [*item, *item.values()] if isinstance(item, dict) else item if isinstance(item, list) else None
    return 1 if inner is None else 1 + max(map(levels_of, inner), default=1)


@given(item=ITEMS)
def test_what_is_written_in_the_plain_form_passes_unless_it_is_too_deep(item: object) -> None:
    data = cbor2.dumps(item)
    if levels_of(item) <= MAX_LEVELS:
        require_plain(data)
        assert end_of_item(b"\x00" + data + b"more", 1) == 1 + len(data)
        with pytest.raises(ValueError, match="end within"):
            require_plain(data[:-1])
    else:
        with pytest.raises(ValueError, match="too many levels"):
            require_plain(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a regular expression", "d82363612b2b"),
        ("a fraction with a huge exponent", "c5821b7fffffffffffffff01"),
        ("a shared reference", "d81c80"),
        ("a tagged key", "a1c24101f6"),
        ("a float", "f97e00"),
        ("undefined", "f7"),
        ("a break", "ff"),
        ("text in pieces", "7f616161ff"),
        ("text that is not UTF-8", "61ff"),
        ("an endless array", "9f00ff"),
        ("a reserved length", "1c"),
        ("nothing", ""),
        ("something after it", "0000"),
        ("five levels", "8181818100"),
    ],
)
def test_everything_else_is_refused(name: str, data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        require_plain(bytes.fromhex(data))
    assert name


@pytest.mark.parametrize("head", ["9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff"])
def test_a_claimed_length_costs_nothing(head: str) -> None:
    with bounded_processor_time(0.5), pytest.raises(ValueError, match="end within"):
        require_plain(bytes.fromhex(head) + bytes(16 * 1024))


@given(data=st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        require_plain(data)
        cbor2.loads(data)
