"""Plain pages are text in a fixed frame, under a policy that allows nothing but their own style."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from belvedere.gateway.plain_pages import (
    NOT_FOUND,
    PAGE_NOT_BUILT,
    PLAIN_PAGE_POLICY,
    TRY_AGAIN,
    UNKNOWN_HOST,
    plain_page,
)


def test_text_is_never_markup() -> None:
    page = plain_page("<b>", "a & b", "<script>x</script>").decode()
    assert "<script>" not in page
    assert "<h1>&lt;b&gt;</h1>" in page
    assert "<p>a &amp; b</p>" in page


@pytest.mark.parametrize("page", [TRY_AGAIN, PAGE_NOT_BUILT, NOT_FOUND, UNKNOWN_HOST])
def test_the_policy_allows_the_pages_own_style(page: bytes) -> None:
    style = re.search(rb"<style>(.*)</style>", page)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PLAIN_PAGE_POLICY
    assert "default-src 'none'" in PLAIN_PAGE_POLICY


def test_the_pages_have_the_colours_of_the_real_page() -> None:
    styles = (Path(__file__).parents[2] / "web/src/page/styles.css").read_text()
    for name in ("night", "dusk", "paper", "paper-dim"):
        colour = re.search(rf"--{name}: (#[0-9a-f]+);", styles)
        assert colour is not None
        assert colour[1].encode() in TRY_AGAIN


def test_nothing_in_a_page_needs_what_the_policy_forbids() -> None:
    assert not re.search(rb"style=|src=|href=|<script|@import|url\(", TRY_AGAIN)


def test_a_missing_page_says_how_to_build_it() -> None:
    assert b"make page" in PAGE_NOT_BUILT
