"""What is tried and what is concluded, against simulated units, without radio or time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import WriteMode, shipped_profile
from belvedere.lab.probe.findings import Findings
from belvedere.lab.probe.script import FIRST_TRIALS, ProbeOptions, Script
from belvedere.lab.probe.steps import Answer, Outcome, QuestionKind, Result, Step
from belvedere.link.port import LinkDetails

if TYPE_CHECKING:
    from belvedere.head.layout import FrameLayout

LAYOUT = shipped_profile("zeapon-pons-pt").frame
OPPOSITE = {Answer.RIGHT: Answer.LEFT, Answer.UP: Answer.DOWN, Answer.LEFT: Answer.RIGHT, Answer.DOWN: Answer.UP}


@dataclass
class Unit:
    """A made-up unit: which words turn it which way, from which speed on, and what else it does."""

    words: dict[int, Answer] = field(default_factory=lambda: {1: Answer.RIGHT, 2: Answer.LEFT})
    least: int = 1
    stops: bool = True
    stops_when_dropped: bool = False
    is_deaf_without_response: bool = False
    mode: WriteMode | None = None
    tried: list[Step] = field(default_factory=list)
    speed: int = 0

    def result(self, step: Step) -> Result:
        """What whoever watches would answer."""
        self.mode = step.mode or self.mode
        if step.frame is not None:
            self.tried.append(step)
        kind = step.after.kind if step.after else None
        if kind is QuestionKind.STILL:
            return Result(Answer.YES if self.stops or not self.tried else Answer.NO)
        former, self.speed = self.speed, int(step.frame.hex()[6:10]) if step.frame else self.speed
        if kind is QuestionKind.SEEN:
            return Result(self.seen(step))
        if kind is QuestionKind.FASTER_RATIO:
            return Result(Answer.SECOND if self.speed > former else Answer.FIRST)
        if kind is QuestionKind.DROPPED:
            return Result(Answer.YES if self.stops_when_dropped else Answer.NO)
        if kind is QuestionKind.REACHED and step.angle_deg is not None:
            return Result(Answer.YES, step.angle_deg / (40 * self.speed / 999), was_stopped_by_observer=True)
        return Result(Answer.YES)

    def seen(self, step: Step) -> Answer:
        assert step.frame is not None
        if self.speed < self.least or (self.is_deaf_without_response and self.mode is WriteMode.WITHOUT_RESPONSE):
            return Answer.NOTHING
        return self.words.get(step.frame[1], Answer.NOTHING)


def details(*, can_acknowledge: bool = True) -> LinkDetails:
    return LinkDetails(
        name="PONS",
        address="x",
        can_write_without_response=True,
        can_write_with_response=can_acknowledge,
        can_keep_alive=True,
    )


def played(
    unit: Unit,
    axis: Axis = Axis.PAN,
    layout: FrameLayout = LAYOUT,
    probe_options: ProbeOptions | None = None,
    **options: bool,
) -> tuple[Outcome, dict[str, object], str]:
    """The outcome, the values that were found, and all evidence."""
    findings = Findings()
    script = Script(layout, axis, details(**options), probe_options or ProbeOptions(), findings).run()
    try:
        step = next(script)
        while True:
            step = script.send(unit.result(step))
    except StopIteration as ended:
        values: dict[str, object] = {f"{one.table}.{one.key}": one.value for one in findings.all if one.key is not None}
        return ended.value, values, "\n".join(one.evidence for one in findings.all)


def test_a_unit_as_the_profile_describes_it_is_confirmed_and_measured() -> None:
    outcome, values, evidence = played(Unit())
    assert outcome is Outcome.DONE
    assert values["pan.invert"] is False
    assert values["pan.write"] is WriteMode.AUTO
    assert values["pan.full_speed_deg_per_s"] == pytest.approx(40, rel=0.01)
    assert "frame.direction.positive" not in values
    assert "keeps turning when its link drops" in evidence


def test_nothing_is_tried_when_the_unit_does_not_stand_still_after_the_stop() -> None:
    unit = Unit(stops=False)
    unit.tried.append(Step())
    outcome, values, _ = played(unit)
    assert (outcome, values) == (Outcome.STOP_UNPROVEN, {})
    assert len(unit.tried) == 1


def test_a_stop_that_does_not_end_the_first_turn_ends_the_probe() -> None:
    unit = Unit(stops=False)
    outcome, _, _ = played(unit)
    assert outcome is Outcome.STOP_UNPROVEN
    assert len(unit.tried) == 1


def test_the_first_try_is_the_shortest_and_slowest_of_all() -> None:
    unit = Unit()
    played(unit)
    first = unit.tried[0]
    assert first.bound_s == min(share[1] for share in FIRST_TRIALS)
    assert first.frame == bytes.fromhex("020100005000000000000000")


def test_everything_before_the_timed_turns_is_slow_and_short() -> None:
    unit = Unit(least=150)
    played(unit)
    tries = [step for step in unit.tried if step.angle_deg is None]
    assert max(int(step.frame.hex()[6:10]) for step in tries if step.frame) <= 200
    assert max(step.bound_s for step in tries) <= 1.0


@pytest.mark.parametrize(
    ("axis", "first", "inverted"),
    [
        (Axis.PAN, Answer.RIGHT, False),
        (Axis.PAN, Answer.LEFT, True),
        (Axis.TILT, Answer.UP, False),
        (Axis.TILT, Answer.DOWN, True),
    ],
)
def test_a_unit_that_turns_the_other_way_round_is_inverted(axis: Axis, first: Answer, *, inverted: bool) -> None:
    _, values, _ = played(Unit(words={1: first, 2: OPPOSITE[first]}), axis)
    assert values[f"{axis}.invert"] is inverted


def test_a_unit_of_the_other_axis_is_reported_as_such() -> None:
    _, values, evidence = played(Unit(words={1: Answer.UP, 2: Answer.DOWN}))
    assert "pan.invert" not in values
    assert "this is the tilt unit" in evidence


def test_a_direction_that_does_nothing_is_sought_among_other_words() -> None:
    outcome, values, _ = played(Unit(words={1: Answer.RIGHT, 4: Answer.LEFT}))
    assert outcome is Outcome.DONE
    assert values["frame.direction.negative"] == "04"
    assert values["pan.invert"] is False


def test_a_word_that_turns_the_same_way_is_not_taken_for_the_other() -> None:
    _, values, _ = played(Unit(words={1: Answer.RIGHT, 3: Answer.RIGHT, 8: Answer.LEFT}))
    assert values["frame.direction.negative"] == "08"


def test_words_that_do_not_fit_together_are_reported_and_not_written() -> None:
    _, values, evidence = played(Unit(words={1: Answer.RIGHT, 2: Answer.RIGHT}))
    assert "pan.invert" not in values
    assert "this is inconsistent" in evidence


def test_a_unit_that_nothing_moves_is_left_without_a_proven_stop() -> None:
    unit = Unit(words={})
    outcome, values, _ = played(unit)
    assert outcome is Outcome.STOP_UNPROVEN
    assert "frame.direction.positive" not in values


def test_a_word_that_is_found_only_by_search_still_has_to_be_stopped() -> None:
    unit = Unit(words={4: Answer.RIGHT, 8: Answer.LEFT}, stops=False)
    outcome, _, _ = played(unit)
    assert outcome is Outcome.STOP_UNPROVEN
    assert unit.tried[-1].frame == bytes.fromhex("020400020000000000000000")


def test_whoever_wants_nothing_tried_is_left_in_peace() -> None:
    findings = Findings()
    script = Script(LAYOUT, Axis.PAN, details(), ProbeOptions(), findings).run()
    next(script)
    assert script.send(Result(Answer.YES)).frame is not None
    with pytest.raises(StopIteration) as ended:
        script.send(Result(Answer.SKIP))
    assert ended.value.value is Outcome.STOP_UNPROVEN


def test_the_least_speed_that_turns_is_found_and_never_more_than_was_seen() -> None:
    _, values, _ = played(Unit(least=20))
    slowest = values["frame.speed.slowest"]
    assert isinstance(slowest, int)
    assert 20 <= slowest < 40


def test_a_unit_that_obeys_only_what_it_acknowledges_is_written_so() -> None:
    unit = Unit(is_deaf_without_response=True)
    _, values, _ = played(unit)
    assert values["pan.write"] is WriteMode.WITH_RESPONSE
    assert unit.mode is WriteMode.WITH_RESPONSE


def test_a_unit_that_offers_one_way_of_writing_is_not_asked_for_another() -> None:
    unit = Unit()
    _, values, evidence = played(unit, can_acknowledge=False)
    assert "pan.write" not in values
    assert "without response only" in evidence
    assert unit.mode is None


def test_a_unit_that_stops_when_its_link_drops_is_said_to() -> None:
    _, _, evidence = played(Unit(stops_when_dropped=True))
    assert "stops by itself when its link drops" in evidence


def test_what_is_not_wished_is_not_done() -> None:
    unit = Unit()
    _, values, _ = played(
        unit, probe_options=ProbeOptions(wants_drop=False, wants_write_modes=False, calibration_shares=())
    )
    assert not [step for step in unit.tried if step.down_s is not None or step.angle_deg is not None]
    assert "pan.full_speed_deg_per_s" not in values


def test_timed_turns_go_there_and_back() -> None:
    unit = Unit()
    played(unit)
    directions = [step.frame[1] for step in unit.tried if step.angle_deg is not None and step.frame]
    assert directions == [1, 2, 1]


def test_a_stop_of_a_draft_is_proven_by_the_turn_that_it_ends() -> None:
    _, values, evidence = played(Unit(), layout=msgspec.structs.replace(LAYOUT, stop_is_proven=False))
    assert values["frame.stop_is_proven"] is True
    assert "ended a turn at" in evidence
    _, values, evidence = played(Unit())
    assert "frame.stop_is_proven" not in values
    assert "ended a turn at" in evidence


def test_a_stop_that_does_not_work_stays_unproven() -> None:
    _, values, _ = played(Unit(stops=False), layout=msgspec.structs.replace(LAYOUT, stop_is_proven=False))
    assert "frame.stop_is_proven" not in values


def test_a_word_that_the_stop_has_is_not_tried_for_a_direction() -> None:
    layout = msgspec.structs.replace(LAYOUT, stop="02 04 00 05 00 00 00 00 00 00 00 00")
    unit = Unit(words={1: Answer.RIGHT, 8: Answer.LEFT})
    _, values, _ = played(unit, layout=layout)
    assert values["frame.direction.negative"] == "08"
    assert not [step for step in unit.tried if step.frame and step.frame[1] == 4]
