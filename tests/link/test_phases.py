"""Which state of a link may follow which."""

from __future__ import annotations

from itertools import product

import pytest

from belvedere.errors import InternalError
from belvedere.link.phases import TRANSITIONS, LinkPhase, follow


def test_every_phase_says_what_may_follow() -> None:
    assert set(TRANSITIONS) == set(LinkPhase)


@pytest.mark.parametrize(("phase", "following"), list(product(LinkPhase, LinkPhase)))
def test_only_what_the_table_allows_may_follow(phase: LinkPhase, following: LinkPhase) -> None:
    if following in TRANSITIONS[phase]:
        assert follow(phase, following) is following
    else:
        with pytest.raises(InternalError, match=f"{following} must not follow {phase}"):
            follow(phase, following)


def test_ready_is_reached_through_a_stop_only() -> None:
    assert [phase for phase in LinkPhase if LinkPhase.READY in TRANSITIONS[phase]] == [LinkPhase.SETTLING]


def test_every_phase_but_the_last_can_be_left_for_the_last() -> None:
    assert all(LinkPhase.CLOSED in TRANSITIONS[phase] for phase in LinkPhase if phase is not LinkPhase.CLOSED)
    assert not TRANSITIONS[LinkPhase.CLOSED]
