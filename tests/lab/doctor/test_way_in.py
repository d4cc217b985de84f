"""What the owner is told about how visitors come in."""

from __future__ import annotations

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.way_in import way_in

LOOPBACK = ("127.0.0.1", "::1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_on_loopback_without_a_name_is_for_this_computer_alone(host: str) -> None:
    (result,) = way_in(host, (), LOOPBACK)
    assert result.state is CheckState.OK
    assert "only this computer" in result.message
    assert "[server] names" in result.fix


def test_a_server_on_all_addresses_without_a_name_is_for_whoever_reaches_it() -> None:
    (result,) = way_in("0.0.0.0", (), LOOPBACK)  # noqa: S104 (an example of a setting)
    assert "whoever reaches 0.0.0.0" in result.message


def test_a_name_tells_what_its_proxy_needs_and_how_to_check_that() -> None:
    (result,) = way_in("127.0.0.1", ("home.example.org",), LOOPBACK)
    assert "home.example.org" in result.message
    assert "on this computer must pass on Host, X-Forwarded-For, X-Forwarded-Proto and WebSockets" in result.message
    assert "--from-outside https://home.example.org" in result.fix


def test_a_proxy_on_another_computer_is_named() -> None:
    (result,) = way_in("::", ("a.example.org",), ("10.42.0.0/16",))
    assert "at 10.42.0.0/16" in result.message
