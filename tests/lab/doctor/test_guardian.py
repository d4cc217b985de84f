from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.guardian.buses import fake_bluez, needs_dbus

from belvedere.guardian.memory import NO_BLUEZ, WATCHING, Memory
from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.guardian import guardian

if TYPE_CHECKING:
    from collections.abc import Callable


class Child:
    def __init__(self, memory: int, state: int) -> None:
        page = Memory(os.dup(memory))
        page.state = state
        page.close()

    def poll(self) -> int | None:
        return None

    def kill(self) -> None:
        raise AssertionError


def starting(state: int) -> Callable[[int, int, bytes, float], Child]:
    return lambda memory, _line, _stop, _dead_man_s: Child(memory, state)


async def test_one_that_watches_is_good() -> None:
    (found,) = await guardian(is_enabled=True, start=starting(WATCHING))
    assert found.state is CheckState.OK


async def test_one_without_a_way_to_bluez_is_a_warning() -> None:
    (found,) = await guardian(is_enabled=True, start=starting(NO_BLUEZ))
    assert (found.state, found.fix != "") == (CheckState.WARNING, True)
    assert "keeps turning until Belvedere is restarted" in found.message


async def test_one_that_is_switched_off_is_a_warning() -> None:
    (found,) = await guardian(is_enabled=False)
    assert (found.state, found.fix) == (CheckState.WARNING, "[guardian] enabled = true")


@pytest.mark.realtime
@needs_dbus
async def test_a_real_one_is_started_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch):
        (found,) = await guardian(is_enabled=True)
        assert found.state is CheckState.OK
