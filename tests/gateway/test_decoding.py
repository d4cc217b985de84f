"""Whatever is wrong with a stranger's JSON is one kind of error, in our words."""

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.decoding import decode_strictly, is_of_type


class Point(msgspec.Struct, forbid_unknown_fields=True):
    x: float


DECODER = msgspec.json.Decoder(Point)


def test_what_fits_is_read() -> None:
    assert decode_strictly(DECODER, b'{"x": 1}') == Point(1.0)
    assert decode_strictly(DECODER, '{"x": 1}') == Point(1.0)


@pytest.mark.parametrize(
    "text",
    ['{"x":"1"}', '{"x":true}', '{"x":NaN}', '{"x":1e999}', "", "[" * 60_000, '{"x":' * 60_000, "\ud800", b"\xff"],
)
def test_whatever_is_wrong_is_a_bad_message(text: str | bytes) -> None:
    with pytest.raises(VisitorError) as refused:
        decode_strictly(DECODER, text)
    assert refused.value.refusal is Refusal.BAD_MESSAGE


def test_deep_nesting_before_a_known_field_is_a_bad_message() -> None:
    with pytest.raises(VisitorError):
        decode_strictly(msgspec.json.Decoder(), "[" * 60_000 + "]" * 60_000)


def test_the_path_is_named_and_the_value_is_not() -> None:
    with pytest.raises(VisitorError, match=r"\$\.x") as refused:
        decode_strictly(DECODER, '{"x":"<script>"}')
    assert "script" not in str(refused.value)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        decode_strictly(DECODER, data)
    except VisitorError:
        return


@pytest.mark.parametrize("header", ["text/x", "TEXT/X", "text/x; charset=utf-8", " text/x ;"])
def test_a_types_spelling_is_free(header: str) -> None:
    assert is_of_type(header, "text/x")


@pytest.mark.parametrize("header", ["", "text", "text/xx", "text/y; text/x", "text/y, text/x"])
def test_another_type_is_another(header: str) -> None:
    assert not is_of_type(header, "text/x")
