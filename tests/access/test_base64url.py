"""Each text has one meaning, and each meaning one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.access.base64url import from_base64url, to_base64url


@given(data=st.binary())
def test_bytes_come_back_as_they_were(data: bytes) -> None:
    assert from_base64url(to_base64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+", "A/", "AA A", "AA\n", "é", "AAAA="])
def test_another_way_to_write_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64url|ASCII"):
        from_base64url(text)
