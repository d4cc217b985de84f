"""The page's files come from a list made of the directory, and nothing else can be asked for."""

import gzip
import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from belvedere.gateway.page_files import PageFiles

SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    directory = tmp_path / "page"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html>")
    (directory / "assets" / "main-abc123.js").write_bytes(SCRIPT)
    (directory / "icon.svg").write_text("<svg/>")
    (directory / ".hidden").write_text("hidden")
    (directory / "link.txt").symlink_to(tmp_path / "secret.txt")
    return directory


def test_the_index_is_found(page: Path) -> None:
    index = PageFiles(page).index()
    assert index is not None
    assert index.body == b"<!doctype html>"
    assert index.media_type == "text/html"
    assert not index.is_hashed


def test_hashed_files_are_known_as_such(page: Path) -> None:
    script = PageFiles(page).find("assets/main-abc123.js")
    assert script is not None
    assert script.is_hashed
    assert script.media_type == "text/javascript"


def test_large_text_is_packed_and_small_text_is_not(page: Path) -> None:
    files = PageFiles(page)
    script, icon = files.find("assets/main-abc123.js"), files.find("icon.svg")
    assert script is not None
    assert icon is not None
    assert script.packed is not None
    assert gzip.decompress(script.packed) == SCRIPT
    assert icon.packed is None
    assert icon.media_type == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "assets/../../secret.txt",
        "/etc/passwd",
        "..",
        "",
        "assets",
        "assets/",
        ".hidden",
        "link.txt",
        "assets//main-abc123.js",
        "INDEX.HTML",
        "index.html\x00",
    ],
)
def test_nothing_else_is_found(page: Path, path: str) -> None:
    assert PageFiles(page).find(path) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "", "assets", "secret.txt", "index.html", "%2e%2e"])))
def test_no_spelling_leads_outside(page: Path, dependencies: list[str]) -> None:
    found = PageFiles(page).find("/".join(dependencies))
    assert found is None or found.body == b"<!doctype html>"


def test_a_page_that_was_never_built_is_none(tmp_path: Path) -> None:
    files = PageFiles(tmp_path / "nowhere")
    assert files.index() is None
    assert files.find("index.html") is None


def test_a_new_build_is_noticed(page: Path) -> None:
    files = PageFiles(page)
    before = files.index()
    (page / "index.html").write_text("<!doctype html><p>new")
    os.utime(page / "index.html", ns=(1, 1))
    after = files.index()
    assert before is not None
    assert after is not None
    assert after.body.endswith(b"new")
    assert before.etag != after.etag


def test_a_build_that_comes_late_is_noticed(page: Path) -> None:
    (page / "index.html").rename(page / "later.html")
    files = PageFiles(page)
    assert files.index() is None
    (page / "later.html").rename(page / "index.html")
    assert files.index() is not None
