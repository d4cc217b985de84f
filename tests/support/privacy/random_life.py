"""Random lives of a harness: any event in any order, checked after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.privacy.room_harness import PEOPLE, RoomHarness

from belvedere.privacy.core import Privacy
from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.words import Answer, Welcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

WAITS = (0.0, 1.0, 5.0, 59.0, 60.0, 61.0, 240.0, 299.0, 300.0, 301.0, 1800.0, 7200.0)


def live(random: Random, steps: int, privacy: type[Privacy] = Privacy) -> RoomHarness:
    """Run one life; returns the harness. Raises AssertionError if the rules permit what the room has not."""
    harness = RoomHarness(privacy, ask_first=random.random() < 0.5, now=_some_time(random))
    for _ in range(steps):
        _do_anything(random, harness)
        harness.check()
    return harness


def _some_time(random: Random) -> float:
    """Any second of a week, half of the time shortly before midnight, over which quiet hours may go."""
    return random.randrange(7) * 86_400.0 + random.choice((random.randrange(86_400), 85_800))


def _do_anything(random: Random, harness: RoomHarness) -> None:
    person = random.choice(PEOPLE)
    events: dict[Callable[[], None], int] = {
        lambda: harness.curtain(is_closed=random.random() < 0.5): 3,
        lambda: harness.microphone(is_off=random.random() < 0.4): 2,
        lambda: harness.guests(may_hear=random.random() < 0.6): 1,
        lambda: harness.knock(person): 2,
        lambda: harness.answer(person, random.choice(list(Answer))): 3,
        lambda: harness.welcome(person, random.choice(list(Welcome))): 2,
        lambda: harness.quiet(spans_near(random, harness)): 1,
        harness.finish_save: 6,
        lambda: harness.fail_save(is_done=random.random() < 0.5): 2,
        lambda: harness.cut_power(random.randrange(3), is_readable=random.random() < 0.7): 1,
        harness.read_disk: 1,
        lambda: harness.stay_away(random.sample(PEOPLE, random.randrange(3))): 2,
        lambda: harness.wait(random.choice(WAITS)): 5,
    }
    happen: Callable[[], None] = random.choices(list(events), list(events.values()))[0]
    happen()


def spans_near(random: Random, harness: RoomHarness) -> list[QuietSpan]:
    """Quiet hours that begin or end soon, so that lives meet their ends."""
    spans = []
    for _ in range(random.randrange(3)):
        minute = int(harness.now / 60) + random.randrange(-60, 60)
        begin = minute % (7 * 1440)
        spans.append(QuietSpan(begin // 1440, begin % 1440, (begin + random.randrange(1, 90)) % 1440))
    return spans
