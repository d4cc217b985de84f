from __future__ import annotations

import msgspec
import pytest

from belvedere.secret import Secret
from belvedere.stage.options import IceServer, StageOptions


def test_the_defaults_are_within_their_own_bounds() -> None:
    assert msgspec.json.decode(msgspec.json.encode(StageOptions()), type=StageOptions) == StageOptions()


@pytest.mark.parametrize(
    "text",
    ["width = 1270", "height = 721", "fps = 0", "bitrate_kbps = 10", "max_viewers = 0", "colour = true"],
)
def test_a_value_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode(text, type=StageOptions)


@pytest.mark.parametrize("url", ["stun:stun.example.org:3478", "turns:turn.example.org?transport=tcp", "turn:10.0.0.1"])
def test_stun_and_turn_servers_are_named_by_url(url: str) -> None:
    assert msgspec.convert({"url": url}, IceServer).url == url


@pytest.mark.parametrize("url", ["http://example.org", "stun:", "turn:a b", "stunsomething:x", "stun:a\n", "stun:a>"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": url}, IceServer)


@pytest.mark.parametrize("secret", ["", "a\nb", "a\n", "grüezi", "a" * 513])
def test_names_and_passwords_are_such_as_a_header_can_carry(secret: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": "turn:turn.example.org", "username": secret}, IceServer)
    with pytest.raises(ValueError, match=r"credential_file"):
        IceServer(url="turn:turn.example.org", credential=Secret(secret or "\0"))


@pytest.mark.parametrize(
    "text", ["udp_ports = '50000-50007'", "udp_ports = '50000-50000'\nmax_viewers = 1", "udp_ports = ''"]
)
def test_udp_ports_are_a_range_with_one_for_every_viewer(text: str) -> None:
    options = msgspec.toml.decode(text, type=StageOptions)
    assert len(options.udp_port_range) in {0, options.max_viewers}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("udp_ports = '50000-50006'", "7 ports, but max_viewers is 8"),
        ("udp_ports = '50100-50000'", "from 1024 to 65535"),
        ("udp_ports = '80-180'", "from 1024 to 65535"),
        ("udp_ports = '65000-70000'", "from 1024 to 65535"),
        ("udp_ports = '50000'", "regex"),
        ("udp_ports = 'all'", "regex"),
        ("announced_addresses = ['203.0.113.7/24']", "regex"),
        ("announced_addresses = ['a b']", "regex"),
    ],
)
def test_ports_and_addresses_that_cannot_work_are_refused(text: str, why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.toml.decode(text, type=StageOptions)
