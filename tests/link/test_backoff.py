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
ABSENCES = [LinkReason.NOT_FOUND, LinkReason.NO_ADAPTER, LinkReason.ADAPTER_OFF, LinkReason.DISCOVERY_STUCK]
FAILURES = [reason for reason in LinkReason if reason not in ABSENCES]


def waits(backoff: Backoff, count: int, reason: LinkReason = LinkReason.CONNECT_FAILED) -> list[float]:
    return [backoff.wait_s(reason, 0, chance=0) for _ in range(count)]


def test_the_wait_doubles_from_a_fifth_of_a_second_up_to_five() -> None:
    assert waits(Backoff(OPTIONS), 8) == [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5]


@pytest.mark.parametrize("reason", ABSENCES)
def test_a_unit_that_is_not_found_is_searched_again_after_half_a_second_however_long_it_was_away(
    reason: LinkReason,
) -> None:
    assert waits(Backoff(OPTIONS), 10_000, reason)[-1] == 0.5


@pytest.mark.parametrize("reason", ABSENCES)
def test_not_being_found_does_not_lengthen_later_waits(reason: LinkReason) -> None:
    backoff = Backoff(OPTIONS)
    waits(backoff, 100, reason)
    assert waits(backoff, 1) == [0.2]


def test_a_link_that_was_stable_resets_the_wait() -> None:
    backoff = Backoff(OPTIONS)
    waits(backoff, 9)
    assert backoff.wait_s(LinkReason.LOST, OPTIONS.stable_s, chance=0) == 0.2


def test_a_link_that_broke_at_once_does_not_reset_the_wait() -> None:
    backoff = Backoff(OPTIONS)
    waits(backoff, 3)
    assert backoff.wait_s(LinkReason.LOST, OPTIONS.stable_s - 0.1, chance=0) == 1.6


def test_with_stable_s_zero_only_a_link_that_was_ready_counts_as_stable() -> None:
    backoff = Backoff(LinkOptions(stable_s=0))
    assert waits(backoff, 2) == [0.2, 0.4]


def test_jitter_shortens_a_wait_by_up_to_half() -> None:
    assert Backoff(OPTIONS).wait_s(LinkReason.LOST, 0, chance=0.5) == pytest.approx(0.15)


@given(st.lists(st.tuples(st.sampled_from(FAILURES), st.floats(0, 0.999)), max_size=50))
def test_no_wait_is_longer_than_the_longest_or_shorter_than_half_the_first(
    failures: list[tuple[LinkReason, float]],
) -> None:
    backoff = Backoff(OPTIONS)
    for reason, chance in failures:
        assert OPTIONS.retry_first_s / 2 <= backoff.wait_s(reason, 0, chance) <= OPTIONS.retry_longest_s


@given(st.integers(1, 500))
def test_waits_without_jitter_never_become_shorter(count: int) -> None:
    assert all(later >= earlier for earlier, later in pairwise(waits(Backoff(OPTIONS), count)))


def test_with_stable_s_zero_a_link_that_was_ready_for_an_instant_resets_the_wait() -> None:
    backoff = Backoff(LinkOptions(stable_s=0))
    waits(backoff, 3)
    assert backoff.wait_s(LinkReason.LOST, 0.1, chance=0) == 0.2


@pytest.mark.parametrize("reason", ABSENCES)
def test_jitter_shortens_a_rest_as_well(reason: LinkReason) -> None:
    assert Backoff(OPTIONS).wait_s(reason, 0, chance=0.5) == pytest.approx(0.75 * OPTIONS.rest_s)


@pytest.mark.parametrize(
    ("reason", "waits_s"),
    [(LinkReason.NOT_FOUND, [0.375] * 5), (LinkReason.CONNECT_FAILED, [0.15, 0.3, 0.6, 1.2, 2.4])],
)
async def test_the_wait_depends_on_the_reason_of_the_failure(reason: LinkReason, waits_s: list[float]) -> None:
    link = ScriptedLink()
    link.script("open", *[Step(reason=reason)] * 5)
    async with supervised(link, options=LinkOptions(stable_s=0.5)) as rig:
        await rig.ready()
        searches = [at for at, status in rig.statuses if status.state is LinkPhase.SEARCHING]
    assert [later - earlier for earlier, later in pairwise(searches)] == pytest.approx(waits_s)
