"""With real sockets on loopback; the ports are below those that the system hands out."""

from __future__ import annotations

import socket

import pytest

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.udp_ports import UdpPorts

FIRST = 21_300
V4, V6 = "127.0.0.1", "::1"


def port_of(sockets: list[socket.socket]) -> int:
    """The port that all of them have."""
    (port,) = {each.getsockname()[1] for each in sockets}
    return int(port)


def close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()


def test_without_a_range_any_port_will_do() -> None:
    sockets = UdpPorts().open([V4, V6])
    assert [each.family for each in sockets] == [socket.AF_INET, socket.AF_INET6]
    close(sockets)


def test_each_viewer_has_one_port_of_the_range_on_all_addresses() -> None:
    ports = UdpPorts(range(FIRST, FIRST + 3))
    viewers = [ports.open([V4, V6]) for _ in range(3)]
    assert [port_of(sockets) for sockets in viewers] == [FIRST, FIRST + 1, FIRST + 2]
    assert all(len(sockets) == 2 for sockets in viewers)
    for sockets in viewers:
        close(sockets)


def test_when_all_are_taken_a_viewer_is_refused_once_in_the_log_and_a_freed_port_is_used_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ports = UdpPorts(range(FIRST, FIRST + 2))
    viewers = [ports.open([V4]) for _ in range(2)]
    for _ in range(3):
        with pytest.raises(StageError) as caught:
            ports.open([V4])
        assert caught.value.reason is StageReason.TOO_MANY_VIEWERS
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"{FIRST}-{FIRST + 1}" in caplog.text
    close(viewers[0])
    again = ports.open([V4])
    assert port_of(again) == FIRST
    close(again + viewers[1])


def test_a_port_that_was_just_freed_rests_while_others_are_free() -> None:
    ports = UdpPorts(range(FIRST, FIRST + 3))
    found = []
    for _ in range(4):
        sockets = ports.open([V4])
        found.append(port_of(sockets))
        close(sockets)
    assert found == [FIRST, FIRST + 1, FIRST + 2, FIRST]


def test_a_port_that_another_program_has_on_one_address_is_skipped_on_all() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.bind((V6, FIRST))
        sockets = UdpPorts(range(FIRST, FIRST + 2)).open([V4, V6])
        assert port_of(sockets) == FIRST + 1
        close(sockets)
    again = UdpPorts(range(FIRST, FIRST + 1)).open([V4, V6])  # nothing was left open on the first port
    close(again)


@pytest.mark.parametrize("ports", [range(0), range(FIRST, FIRST + 1)])
def test_an_address_that_is_not_ours_any_more_is_left_out(ports: range) -> None:
    sockets = UdpPorts(ports).open(["198.51.100.9", V4])
    assert [each.getsockname()[0] for each in sockets] == [V4]
    close(sockets)
