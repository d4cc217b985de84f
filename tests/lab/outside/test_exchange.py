from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from tests.lab.outside.edges import HOST, answering, edge

from belvedere.errors import OwnerError
from belvedere.lab.outside.exchange import EdgeError, EdgeReason, Exchanger, PublicAddress, parse_address

if TYPE_CHECKING:
    import socket


@pytest.mark.parametrize(
    ("text", "expected", "origin"),
    [
        ("home.example.org", PublicAddress("https", "home.example.org", 443), "https://home.example.org"),
        ("https://Home.example.org/", PublicAddress("https", "home.example.org", 443), "https://home.example.org"),
        (
            "https://a.example:8443/kitchen/",
            PublicAddress("https", "a.example", 8443, "/kitchen"),
            "https://a.example:8443",
        ),
        ("http://[::1]:80", PublicAddress("http", "::1", 80), "http://[::1]"),
        ("https://küche.example", PublicAddress("https", "xn--kche-0ra.example", 443), "https://xn--kche-0ra.example"),
    ],
)
def test_an_address_is_read_as_browsers_do(text: str, expected: PublicAddress, origin: str) -> None:
    assert parse_address(text) == expected
    assert expected.origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "ftp://a.example",
        "https://user:word@a.example",
        "https://a.example:99999",
        "https://a.example/?x=1",
        "https://a.example/join#secret",
        "https://a b.example",
        "https://a.example/a b",
        "https://[::1",
        "https://ü..example",
    ],
)
def test_what_is_no_public_address_is_refused(text: str) -> None:
    with pytest.raises(OwnerError, match=r"give the public address, as in https://home\.example\.org"):
        parse_address(text)


@pytest.mark.realtime
def test_an_answer_has_its_headers_together_and_the_beginning_of_its_body() -> None:
    def twice(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nVary: a\r\nvary: b\r\nContent-Length: 100000\r\n\r\n" + bytes(100000))

    with edge(twice) as port:
        answer = Exchanger(PublicAddress("http", HOST, port), ssl.create_default_context()).request("/")
    assert (answer.status, answer.headers["vary"], len(answer.body)) == (200, "a, b", 65536)


@pytest.mark.realtime
def test_a_body_that_is_refused_before_its_end_gives_the_answer_all_the_same() -> None:
    def refuse(connection: socket.socket) -> None:
        answering("413 Too Large")(connection)
        while connection.recv(65536):
            pass

    with edge(refuse) as port:
        exchanger = Exchanger(PublicAddress("http", HOST, port), ssl.create_default_context())
        assert exchanger.request("/", "POST", body=bytes(100_000)).status == 413


def test_a_name_without_an_address_is_told_apart() -> None:
    exchanger = Exchanger(PublicAddress("https", "nowhere.invalid", 443), ssl.create_default_context())
    for call in (exchanger.addresses, exchanger.certificate, lambda: exchanger.request("/")):
        with pytest.raises(EdgeError, match=r"^nowhere\.invalid has no address") as caught:
            call()
        assert caught.value.reason is EdgeReason.NAME
