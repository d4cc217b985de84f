from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from belvedere.stage.answer_body import BodyError, read_body

if TYPE_CHECKING:
    import http.client


class Response:
    """A response whose body comes in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces]

    def read1(self, _most: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def read(*pieces: bytes, timeout_s: float = 60.0) -> bytes:
    return read_body(cast("http.client.HTTPResponse", Response(*pieces)), max_bytes=8, timeout_s=timeout_s)


def test_the_pieces_of_a_body_are_put_together() -> None:
    assert read(b"1234", b"56", b"78") == b"12345678"
    assert read() == b""


def test_a_body_that_is_too_long_or_too_slow_is_given_up() -> None:
    with pytest.raises(BodyError, match="the answer is longer than 8 bytes"):
        read(b"1234", b"56789")
    with pytest.raises(BodyError, match="the answer took longer than -1 s"):
        read(b"1", timeout_s=-1.0)
