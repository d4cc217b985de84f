"""How long to wait before a unit is tried again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.link.unit_rig import supervised

from belvedere.errors import LinkReason
from belvedere.link.backoff import Backoff
from belvedere.link.options import LinkOptions
from belvedere.link.phases import LinkPhase
from belvedere.testing.scripted_link import ScriptedLink, Step

OPTIONS = LinkOptions()
ABSENCES = [LinkReason.NOT_FOUND, LinkReason.NO_ADAPTER, LinkReason.ADAPTER_OFF]
FAILURES = [reason for reason in LinkReason if reason not in ABSENCES]


def waits(backoff: Backoff, count: int, reason: LinkReason = LinkReason.CONNECT_FAILED) -> list[float]:
    return [backoff.wait_s(reason, 0, chance=0) for _ in range(count)]


def test_the_wait_doubles_from_a_fifth_of_a_second_up_to_five() -> None:
    assert waits(Backoff(OPTIONS), 8) == [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5]


@pytest.mark.parametrize("reason", ABSENCES)
def test_however_long_a_unit_was_away_it_is_looked_for_again_after_half_a_second(reason: LinkReason) -> None:
    assert waits(Backoff(OPTIONS), 10_000, reason)[-1] == 0.5


@pytest.mark.parametrize("reason", ABSENCES)
def test_being_away_does_not_count_as_a_failure(reason: LinkReason) -> None:
    backoff = Backoff(OPTIONS)
    waits(backoff, 100, reason)
    assert waits(backoff, 1) == [0.2]


def test_a_link_that_held_has_earned_a_short_wait() -> None:
    backoff = Backoff(OPTIONS)
    waits(backoff, 9)
    assert backoff.wait_s(LinkReason.LOST, OPTIONS.stable_s, chance=0) == 0.2


def test_a_link_that_broke_at_once_has_not() -> None:
    backoff = Backoff(OPTIONS)
    waits(backoff, 3)
    assert backoff.wait_s(LinkReason.LOST, OPTIONS.stable_s - 0.1, chance=0) == 1.6


def test_where_nothing_is_asked_of_a_link_only_one_that_was_ready_counts_as_stable() -> None:
    backoff = Backoff(LinkOptions(stable_s=0))
    assert waits(backoff, 2) == [0.2, 0.4]


def test_chance_takes_up_to_half_of_a_wait() -> None:
    assert Backoff(OPTIONS).wait_s(LinkReason.LOST, 0, chance=0.5) == pytest.approx(0.15)


@given(st.lists(st.tuples(st.sampled_from(FAILURES), st.floats(0, 0.999)), max_size=50))
def test_no_wait_is_longer_than_the_longest_or_shorter_than_half_the_first(
    failures: list[tuple[LinkReason, float]],
) -> None:
    backoff = Backoff(OPTIONS)
    for reason, chance in failures:
        assert OPTIONS.retry_first_s / 2 <= backoff.wait_s(reason, 0, chance) <= OPTIONS.retry_longest_s


@given(st.integers(1, 500))
def test_waits_without_chance_never_become_shorter(count: int) -> None:
    assert all(later >= earlier for earlier, later in pairwise(waits(Backoff(OPTIONS), count)))


def test_where_nothing_is_asked_of_a_link_even_one_that_held_for_an_instant_has_earned_a_short_wait() -> None:
    backoff = Backoff(LinkOptions(stable_s=0))
    waits(backoff, 3)
    assert backoff.wait_s(LinkReason.LOST, 0.1, chance=0) == 0.2


@pytest.mark.parametrize("reason", ABSENCES)
def test_chance_shortens_a_rest_as_well(reason: LinkReason) -> None:
    assert Backoff(OPTIONS).wait_s(reason, 0, chance=0.5) == pytest.approx(0.75 * OPTIONS.rest_s)


@pytest.mark.parametrize(
    ("reason", "waits_s"),
    [(LinkReason.NOT_FOUND, [0.375] * 5), (LinkReason.CONNECT_FAILED, [0.15, 0.3, 0.6, 1.2, 2.4])],
)
async def test_how_long_a_unit_is_left_alone_depends_on_why_it_was_not_reached(
    reason: LinkReason, waits_s: list[float]
) -> None:
    link = ScriptedLink()
    link.script("open", *[Step(reason=reason)] * 5)
    async with supervised(link, options=LinkOptions(stable_s=0.5)) as rig:
        await rig.ready()
        searches = [at for at, status in rig.statuses if status.state is LinkPhase.SEARCHING]
    assert [later - earlier for earlier, later in pairwise(searches)] == pytest.approx(waits_s)
