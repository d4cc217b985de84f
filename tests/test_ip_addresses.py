"""Addresses are told from names, whatever looks like one."""

from __future__ import annotations

import pytest

from belvedere.ip_addresses import is_ip_address


@pytest.mark.parametrize("text", ["127.0.0.1", "192.168.1.20", "::1", "2001:db8::7", "::ffff:10.0.0.1", "fe80::1%eth0"])
def test_an_address_is_one(text: str) -> None:
    assert is_ip_address(text)


@pytest.mark.parametrize(
    "text", ["", "localhost", "home.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[::1]", "127.0.0.1:80", "10.0.0.0/8"]
)
def test_a_name_and_what_only_resembles_an_address_is_none(text: str) -> None:
    assert not is_ip_address(text)
