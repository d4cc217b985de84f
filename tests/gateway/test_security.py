"""Which hosts and origins are accepted, the headers of every response, and the cookies."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from belvedere.gateway.security import (
    HostCheck,
    cookie_name,
    entry_cookie_name,
    forget_cookie,
    is_same_origin,
    read_cookie,
    security_headers,
    write_cookie,
)

ACCEPTED = ["127.0.0.1:8080", "127.0.0.1", "localhost:8080", "LOCALHOST:1", "[::1]:8080", "[::1]"]
FOREIGN = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "192.168.1.7:8080"]
NO_HOSTS = [
    "",
    ":",
    ":8080",
    "local host",
    "localhost:x",
    "localhost:123456",
    "a/b",
    "user@localhost",
    "[::1",
    "ä",
    "a\nb",
]


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
@pytest.mark.parametrize("host", ACCEPTED)
def test_a_server_on_loopback_accepts_loopback_names(listens_on: str, host: str) -> None:
    assert HostCheck(listens_on).accepts(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_server_on_loopback_accepts_no_other_name(host: str) -> None:
    assert not HostCheck("127.0.0.1").accepts(host)


def test_the_listening_address_is_accepted() -> None:
    assert HostCheck("127.0.0.2").accepts("127.0.0.2:8080")


def test_a_configured_name_is_accepted() -> None:
    check = HostCheck("127.0.0.1", ["Home.Example.org"])
    assert check.accepts("home.example.org")
    assert check.accepts("localhost:8080")
    assert not check.accepts("evil.example")


def test_a_server_on_the_network_accepts_every_name_unless_some_are_configured() -> None:
    assert HostCheck("0.0.0.0").accepts("192.168.1.7:8080")  # noqa: S104 - nothing listens here
    assert not HostCheck("0.0.0.0", ["home.example.org"]).accepts("192.168.1.7:8080")  # noqa: S104 - likewise


@pytest.mark.parametrize("host", NO_HOSTS)
def test_an_invalid_host_is_never_accepted(host: str) -> None:
    assert not HostCheck("0.0.0.0").accepts(host)  # noqa: S104 - nothing listens here


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("HTTP://LocalHost:8080", "localhost:8080"),
        ("https://home.example.org", "home.example.org"),
        ("https://home.example.org", "home.example.org:443"),
        ("http://home.example.org:80", "home.example.org"),
    ],
)
def test_our_own_page_is_of_the_same_origin(origin: str, host: str) -> None:
    assert is_same_origin(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:8081",
        "http://127.0.0.1:8080.evil.example",
        "http://127.0.0.1:8080/",
        "http://evil@127.0.0.1:8080",
        "file://127.0.0.1:8080",
        "127.0.0.1:8080",
    ],
)
def test_other_origins_are_not(origin: str) -> None:
    assert not is_same_origin(origin, "127.0.0.1:8080")


def test_a_page_may_load_from_and_connect_to_its_own_server_only() -> None:
    policy = security_headers("127.0.0.1:8080")["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'self'"
    assert directives["connect-src"] == "'self' ws://127.0.0.1:8080 wss://127.0.0.1:8080"
    assert directives["img-src"] == "'self' data:"
    assert {directives[each] for each in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert directives["form-action"] == "'self'"
    assert "unsafe" not in policy


def test_the_other_headers_are_there() -> None:
    headers = security_headers("localhost")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]
    assert "microphone=(self)" in headers["permissions-policy"]  # to talk; browsers still ask


@given(st.text())
def test_no_host_can_write_into_the_policy(host: str) -> None:
    policy = security_headers(host)["content-security-policy"]
    assert policy.count(";") == 6
    assert "\n" not in policy
    assert "*" not in policy


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
