"""Passkeys belong to host names that browsers accept for them."""

from __future__ import annotations

import pytest

from belvedere.access.ceremonies import RelyingParty, relying_party


@pytest.mark.parametrize(
    ("host", "name", "origins"),
    [
        ("localhost:8080", "localhost", ("https://localhost:8080", "http://localhost:8080")),
        ("Localhost", "localhost", ("https://localhost", "http://localhost")),
        ("localhost:80", "localhost", ("https://localhost:80", "http://localhost")),
        ("my.localhost:1", "my.localhost", ("https://my.localhost:1", "http://my.localhost:1")),
        ("Home.Example.org", "home.example.org", ("https://home.example.org",)),
        ("home.example.org:443", "home.example.org", ("https://home.example.org",)),
        ("home.example.org:8443", "home.example.org", ("https://home.example.org:8443",)),
        ("notlocalhost", "notlocalhost", ("https://notlocalhost",)),
    ],
)
def test_a_name_has_passkeys_of_its_own_over_https_and_on_localhost_without(
    host: str, name: str, origins: tuple[str, ...]
) -> None:
    assert relying_party(host) == RelyingParty(name, origins)


@pytest.mark.parametrize("host", ["", "127.0.0.1:8080", "192.168.1.7", "[::1]:8080", "[::1]", "home.example.org."])
def test_an_address_has_none(host: str) -> None:
    assert relying_party(host) is None
