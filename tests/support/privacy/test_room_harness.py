"""No frame, sound, still or motion for anybody behind the curtain, whatever the order of events and failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.privacy.room_harness import PEOPLE, RoomHarness

from belvedere.privacy.core import Privacy
from belvedere.privacy.effects import Cut, Effect, Withhold
from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.words import Answer, Welcome

if TYPE_CHECKING:
    from belvedere.privacy.moment import Moment

PERSON = st.sampled_from(PEOPLE)
SPAN = st.builds(QuietSpan, st.just(0), st.integers(0, 120), st.integers(0, 240))


class Lives(RuleBasedStateMachine):
    """Hypothesis chooses the events, and finds the shortest order that breaks a rule."""

    harness: RoomHarness

    @initialize(ask_first=st.booleans(), now=st.sampled_from((0.0, 3000.0, 7 * 86_400.0 - 60)))
    def begin(self, *, ask_first: bool, now: float) -> None:
        self.harness = RoomHarness(ask_first=ask_first, now=now)

    @rule(is_closed=st.booleans())
    def curtain(self, *, is_closed: bool) -> None:
        self.harness.curtain(is_closed=is_closed)

    @rule(is_off=st.booleans())
    def microphone(self, *, is_off: bool) -> None:
        self.harness.microphone(is_off=is_off)

    @rule(may_hear=st.booleans())
    def guests(self, *, may_hear: bool) -> None:
        self.harness.guests(may_hear=may_hear)

    @rule(person=PERSON)
    def knock(self, person: str) -> None:
        self.harness.knock(person)

    @rule(person=PERSON, answer=st.sampled_from(Answer))
    def answer(self, person: str, answer: Answer) -> None:
        self.harness.answer(person, answer)

    @rule(person=PERSON, welcome=st.sampled_from(Welcome))
    def welcome(self, person: str, welcome: Welcome) -> None:
        self.harness.welcome(person, welcome)

    @rule(spans=st.lists(SPAN, max_size=2))
    def quiet(self, spans: list[QuietSpan]) -> None:
        self.harness.quiet(spans)

    @rule()
    def finish_save(self) -> None:
        self.harness.finish_save()

    @rule(is_done=st.booleans())
    def fail_save(self, *, is_done: bool) -> None:
        self.harness.fail_save(is_done=is_done)

    @rule(done=st.integers(0, 2), is_readable=st.booleans())
    def cut_power(self, done: int, *, is_readable: bool) -> None:
        self.harness.cut_power(done, is_readable=is_readable)

    @rule()
    def read_disk(self) -> None:
        self.harness.read_disk()

    @rule(people=st.lists(PERSON, max_size=2))
    def stay_away(self, people: list[str]) -> None:
        self.harness.stay_away(people)

    @rule(seconds=st.sampled_from((0.0, 1.0, 5.0, 60.0, 300.0, 3600.0)))
    def wait(self, seconds: float) -> None:
        self.harness.wait(seconds)

    @precondition(lambda self: hasattr(self, "harness"))
    @invariant()
    def nothing_is_shown_that_is_not_permitted(self) -> None:
        self.harness.check()


Lives.TestCase.settings = settings(deadline=None, max_examples=settings().max_examples, stateful_step_count=30)
TestLives = Lives.TestCase


class Forgetful(Privacy):
    """Rules that leave out one kind of effect."""

    left_out: type[Effect]

    def tick(self, at: Moment) -> list[Effect]:
        return [effect for effect in super().tick(at) if not isinstance(effect, self.left_out)]


class NeverWithholds(Forgetful):
    left_out = Withhold


class NeverCuts(Forgetful):
    left_out = Cut


@pytest.mark.parametrize("privacy", [NeverWithholds, NeverCuts])
def test_it_notices_what_goes_on_behind_the_curtain(privacy: type[Privacy]) -> None:
    harness = RoomHarness(privacy)
    harness.finish_save()
    harness.check()
    harness.curtain(is_closed=True)
    with pytest.raises(AssertionError):
        harness.check()


def test_it_notices_a_curtain_that_never_opens() -> None:
    harness = RoomHarness()
    harness.curtain(is_closed=True)
    harness.finish_save()
    harness.finish_save()
    harness.check()
    harness.curtain(is_closed=False)
    harness._closed = False
    with pytest.raises(AssertionError, match="though nobody closed it"):
        harness.check()
