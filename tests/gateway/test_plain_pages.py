"""Plain pages are text in a fixed frame, under a policy that allows nothing but their own style."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from belvedere.gateway import plain_pages
from belvedere.gateway.languages import Language
from belvedere.gateway.plain_pages import PAGE_NOT_BUILT, PLAIN_PAGE_POLICY, TRY_AGAIN, PlainPage, Words

PAGES = {name: page for name, page in vars(plain_pages).items() if isinstance(page, PlainPage)}
ENGLISH = TRY_AGAIN.html(Language.ENGLISH)


def test_text_is_never_markup() -> None:
    words = Words("<b>", ("a & b", "<script>x</script>"))
    page = PlainPage(dict.fromkeys(Language, words)).html(Language.CHINESE).decode()
    assert "<script>" not in page
    assert "<h1>&lt;b&gt;</h1>" in page
    assert "<p>a &amp; b</p>" in page


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_the_pages_own_style(name: str, language: Language) -> None:
    style = re.search(rb"<style>(.*)</style>", PAGES[name].html(language))
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PLAIN_PAGE_POLICY
    assert "default-src 'none'" in PLAIN_PAGE_POLICY


def test_the_pages_have_the_colours_of_the_real_page() -> None:
    styles = (Path(__file__).parents[2] / "web/src/page/styles.css").read_text()
    for name in ("night", "dusk", "paper", "paper-dim"):
        colour = re.search(rf"--{name}: (#[0-9a-f]+);", styles)
        assert colour is not None
        assert colour[1].encode() in ENGLISH


def test_nothing_in_a_page_needs_what_the_policy_forbids() -> None:
    assert not re.search(rb"style=|src=|href=|<script|@import|url\(", ENGLISH)


def test_a_missing_page_says_how_to_build_it() -> None:
    assert all(b"make page" in PAGE_NOT_BUILT.html(language) for language in Language)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_as_much_in_every_language_in_its_own_characters(name: str) -> None:
    english, chinese = (PAGES[name].html(language).decode() for language in Language)
    assert 'lang="en"' in english
    assert 'lang="zh-Hans"' in chinese
    for element in ("<p>", "<h1>", "<button>"):
        assert english.count(element) == chinese.count(element)
    han = r"[\u4e00-\u9fff]"
    assert not re.search(han, english)
    texts = re.findall(r"<(?:p|h1|button)>(.*?)</", chinese)
    assert all(re.search(han, text) for text in texts)
