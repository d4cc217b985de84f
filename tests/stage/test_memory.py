from __future__ import annotations

import platform

import pytest

from belvedere.stage.memory import return_large_blocks


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give memory back by themselves")
def test_glibc_is_told_where_large_begins() -> None:
    assert return_large_blocks() is True
