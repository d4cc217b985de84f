"""Plain pages are text in a fixed frame, under a policy that allows nothing but their own style."""

import base64
import hashlib
import re

import pytest

from belvedere.gateway.plain_pages import (
    LINK_USED,
    NO_SESSION,
    NOT_FOUND,
    PAGE_NOT_BUILT,
    PLAIN_PAGE_POLICY,
    plain_page,
)


def test_words_are_never_markup() -> None:
    page = plain_page("<b>", "a & b", "<script>x</script>").decode()
    assert "<script>" not in page
    assert "<h1>&lt;b&gt;</h1>" in page
    assert "<p>a &amp; b</p>" in page


@pytest.mark.parametrize("page", [NO_SESSION, LINK_USED, PAGE_NOT_BUILT, NOT_FOUND])
def test_the_policy_allows_the_pages_own_style(page: bytes) -> None:
    style = re.search(rb"<style>(.*)</style>", page)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PLAIN_PAGE_POLICY
    assert "default-src 'none'" in PLAIN_PAGE_POLICY


def test_a_missing_page_says_how_to_build_it() -> None:
    assert b"make page" in PAGE_NOT_BUILT
