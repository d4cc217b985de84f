from __future__ import annotations

import numpy as np
import pytest

from belvedere.lab.logs import connections as module
from belvedere.lab.logs.connections import Connections
from belvedere.lab.logs.events import Closed, Encrypted, Named, Opened, Reset, Updated

PAN, TILT = "C0:DE:00:00:5A:1E", "C0:DE:00:00:5A:1F"


@pytest.fixture
def connections() -> Connections:
    made = Connections()
    made.begin_chunk()
    return made


def opened(address: str, handle: int = 0x40) -> Opened:
    return Opened(handle, address, is_central=True, interval_ms=30.0)


def labels(connections: Connections, *packets: tuple[int, int]) -> list[str]:
    """Who has each packet, given as key and index."""
    keys, indices = (np.array(column, np.int64) for column in zip(*packets, strict=True))
    found = connections.connections_for(keys, indices).tolist()
    return [connections.devices[connections.all[one].device].label for one in found]


def test_a_handle_means_whoever_had_it_at_that_packet(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 10, 0)
    connections.receive(opened(TILT, 0x41), 0, 11, 0)
    connections.receive(Closed(0x40, 0x13), 0, 20, 0)
    connections.receive(opened(TILT), 0, 30, 0)
    packets = [(0x40, 12), (0x41, 12), (0x40, 25), (0x40, 31)]
    assert labels(connections, *packets) == [PAN, TILT, PAN, TILT]


def test_what_was_before_the_log_is_a_connection_without_an_address(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 10, 0)
    assert labels(connections, (0x40, 3), (0x40, 12)) == ["connection 0x0040", PAN]


def test_a_piece_goes_on_where_the_last_one_ended(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 10, 0)
    connections.begin_chunk()
    connections.receive(opened(TILT), 0, 5, 0)
    assert labels(connections, (0x40, 0), (0x40, 6)) == [PAN, TILT]


def test_a_device_that_comes_back_is_the_same(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 1, 0)
    connections.receive(Closed(0x40, 0x08), 0, 2, 1)
    connections.receive(opened(PAN, 0x42), 0, 3, 2)
    assert [one.label for one in connections.devices] == [PAN]
    assert [(one.opened_ns, one.closed_ns, one.reason) for one in connections.all] == [(0, 1, 8), (2, None, None)]


def test_adapters_have_handles_of_their_own(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 1, 0)
    connections.receive(opened(TILT), 1, 2, 0)
    assert labels(connections, (0x40, 5), (1 << 12 | 0x40, 5)) == [PAN, TILT]


def test_after_a_reset_a_handle_means_nobody_known(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 1, 0)
    connections.receive(opened(TILT), 1, 1, 0)
    connections.receive(Reset(), 0, 5, 0)
    connections.receive(opened(PAN), 0, 8, 0)
    packets = [(0x40, 3), (0x40, 6), (0x40, 9), (1 << 12 | 0x40, 6)]
    assert labels(connections, *packets) == [PAN, "connection 0x0040", PAN, TILT]


def test_a_reset_ends_links_and_invents_no_device(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 1, 0)
    connections.receive(Reset(), 0, 5, 7_000)
    connections.receive(Closed(0x40, 0x13), 0, 6, 9_000)
    assert labels(connections, (0x40, 3)) == [PAN]
    assert [one.label for one in connections.devices] == [PAN]
    assert [one.closed_ns for one in connections.all] == [7_000]


def test_two_unknown_connections_of_one_number_are_told_apart(connections: Connections) -> None:
    assert connections.current(0x40) is connections.current(0x40)
    connections.receive(Reset(), 0, 5, 0)
    connections.current(0x40)
    assert [one.label for one in connections.devices] == ["connection 0x0040", "connection 0x0040 (2)"]
    assert labels(connections, (0x40, 1), (0x40, 9)) == ["connection 0x0040", "connection 0x0040 (2)"]


def test_what_changes_on_the_way_is_kept(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 1, 0)
    connections.receive(Updated(0x40, 15.0), 0, 2, 0)
    connections.receive(Encrypted(0x40), 0, 3, 0)
    one = connections.current(0x40)
    assert (one.interval_ms, one.is_encrypted, one.is_central) == (15.0, True, True)


def test_a_name_may_come_before_and_after_the_connection(connections: Connections) -> None:
    connections.receive(Named(PAN, "PONS-PAN"), 0, 0, 0)
    connections.receive(opened(PAN), 0, 1, 0)
    connections.receive(opened(TILT, 0x41), 0, 2, 0)
    connections.receive(Named(TILT, "PONS-TILT"), 0, 3, 0)
    assert [one.name for one in connections.devices] == ["PONS-PAN", "PONS-TILT"]


def test_a_shortened_name_does_not_replace_the_whole_one(connections: Connections) -> None:
    connections.receive(opened(PAN), 0, 0, 0)
    seen = []
    for name in ("PONS", "PONS-PAN", "PONS", "HEAD"):
        connections.receive(Named(PAN, name), 0, 1, 0)
        seen.append(connections.devices[0].name)
    assert seen == ["PONS", "PONS-PAN", "PONS-PAN", "HEAD"]


def test_what_is_kept_has_bounds(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    for number in range(10):
        connections.receive(Named(f"name of {number}", "x"), 0, 0, 0)
        connections.receive(opened(PAN, number), 0, number, 0)
    assert len(connections.all) == 3
    assert len(connections._names) == 2
    connections.begin_chunk()
    assert len(labels(connections, (1, 0), (9, 0))) == 2
