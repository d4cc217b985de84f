"""The cookie is ours alone: per port, unreadable to scripts, absent from other sites' requests."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from belvedere.gateway.cookies import cookie_name, entry_cookie_name, forget_cookie, read_cookie, write_cookie


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8080", "belvedere-8080"),
        ("[::1]:8080", "belvedere-8080"),
        ("home.example.org", "belvedere"),
        ("[::1]", "belvedere"),
        ("", "belvedere"),
    ],
)
def test_each_port_has_a_cookie_of_its_own(host: str, name: str) -> None:
    assert cookie_name(host) == name
    assert entry_cookie_name(host) == f"{name}-entry"


@pytest.mark.parametrize(
    "header", ["a=1; belvedere=x; b=2", "belvedere=x", " belvedere=x ;", "belvedere=x; belvedere=y"]
)
def test_the_first_cookie_of_the_name_is_read(header: str) -> None:
    assert read_cookie(header, "belvedere") == "x"


@pytest.mark.parametrize("header", ["", "belvedere", "xbelvedere=1", "belvedere-1=x", ";;;", "=x"])
def test_no_other_cookie_is_taken_for_it(header: str) -> None:
    assert read_cookie(header, "belvedere") is None


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    read_cookie(header, "belvedere")


def test_scripts_and_other_sites_do_not_get_it() -> None:
    cookie = write_cookie("belvedere", "x", 3600.9, is_secure=False)
    assert cookie == "belvedere=x; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"


def test_a_cookie_can_be_forgotten() -> None:
    assert forget_cookie("belvedere", is_secure=True) == "belvedere=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"


def test_behind_https_it_never_travels_without() -> None:
    assert write_cookie("belvedere", "x", 1, is_secure=True).endswith("; Secure")
