"""The allowed transitions between the phases of a link."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import TYPE_CHECKING

import pytest
from tests.support.link.unit_rig import supervised

from belvedere.errors import InternalError
from belvedere.link.phases import TRANSITIONS, LinkPhase, follow
from belvedere.testing.scripted_link import ScriptedLink, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.port import LinkDetails


def test_every_phase_says_what_may_follow() -> None:
    assert set(TRANSITIONS) == set(LinkPhase)


@pytest.mark.parametrize(("phase", "following"), list(product(LinkPhase, LinkPhase)))
def test_only_what_the_table_allows_may_follow(phase: LinkPhase, following: LinkPhase) -> None:
    if following in TRANSITIONS[phase]:
        assert follow(phase, following) is following
    else:
        with pytest.raises(InternalError, match=f"{following} must not follow {phase}"):
            follow(phase, following)


def test_ready_is_reached_through_settling_only() -> None:
    assert [phase for phase in LinkPhase if LinkPhase.READY in TRANSITIONS[phase]] == [LinkPhase.SETTLING]


def test_every_phase_but_the_last_can_be_left_for_the_last() -> None:
    assert all(LinkPhase.CLOSED in TRANSITIONS[phase] for phase in LinkPhase if phase is not LinkPhase.CLOSED)
    assert not TRANSITIONS[LinkPhase.CLOSED]


class FoundLink(ScriptedLink):
    """A link that keeps the `on_found` callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.on_found: list[Callable[[], None]] = []

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        self.on_found.append(on_found)
        return await super().open(on_lost, lambda: None)


async def test_on_found_counts_once_and_only_for_the_attempt_that_it_belongs_to() -> None:
    link = FoundLink()
    link.script("open", Step(1.0), Step(1.0))
    async with supervised(link) as rig:
        await rig.until(LinkPhase.SEARCHING)
        await asyncio.sleep(0.5)
        link.on_found[0]()
        link.on_found[0]()
        assert rig.phases == [LinkPhase.SEARCHING, LinkPhase.CONNECTING]
        await rig.ready()
        link.on_found[0]()
        assert rig.is_ready
        link.lose()
        await rig.until(LinkPhase.SEARCHING)
        await asyncio.sleep(0.5)
        link.on_found[0]()
        assert rig.phases[-1] is LinkPhase.SEARCHING
