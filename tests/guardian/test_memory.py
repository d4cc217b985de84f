from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.guardian.buses import PAN, TILT

from belvedere.guardian.memory import WATCHING, GuardedUnit, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def both() -> Iterator[tuple[Memory, Memory]]:
    """The same page, as the server and as the guardian have it."""
    server = Memory.new()
    guardian = Memory(os.dup(server.descriptor))
    yield server, guardian
    server.close()
    guardian.close()


def test_values_of_the_server_are_visible_at_once(both: tuple[Memory, Memory]) -> None:
    server, guardian = both
    server.beat_s, server.ping = 12345.678, 2**32 - 1
    server.set_turning(1, is_turning=True)
    assert (guardian.beat_s, guardian.ping) == (12345.678, 2**32 - 1)
    assert [guardian.is_turning(at) for at in (0, 1)] == [False, True]


def test_values_of_the_guardian_are_visible_at_once(both: tuple[Memory, Memory]) -> None:
    server, guardian = both
    guardian.pong, guardian.state = 7, WATCHING
    guardian.add_stop(1, 5.5)
    guardian.add_stop(1, 6.5)
    assert (server.pong, server.state) == (7, WATCHING)
    assert (server.stops(0), server.stops(1)) == ((0, 0.0), (2, 6.5))


def test_a_table_of_units_is_read_as_written(both: tuple[Memory, Memory]) -> None:
    server, guardian = both
    assert guardian.units() is None
    for table in ((PAN, None), (PAN, TILT), (None, TILT._replace(by_command=False))):
        server.set_units(table)
        assert guardian.units() == table


def test_a_half_written_table_is_read_as_none(both: tuple[Memory, Memory]) -> None:
    server, guardian = both
    server.set_units((PAN, TILT))
    at = server._page.find(b"dev_C0")
    server._page[at : at + 3] = b"xxx"
    assert guardian.units() is None


def test_a_table_too_long_is_refused(both: tuple[Memory, Memory]) -> None:
    server, _guardian = both
    with pytest.raises(ValueError, match="table of units takes"):
        server.set_units((GuardedUnit("pan", "/org/bluez/" + "x" * 4000, "/org/bluez/y", True, True), None))
