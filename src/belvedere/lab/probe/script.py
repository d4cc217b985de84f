"""What to try with a unit, and what to conclude: pure generators that yield steps and are sent results.

Nothing here is safety-critical: time limits, stops and the end belong to the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from belvedere.head.axes import Axis
from belvedere.head.frames import pack, stop_frame
from belvedere.head.profile import WriteMode
from belvedere.lab.probe.calibration import Turn, calibrate
from belvedere.lab.probe.steps import DIRECTIONS, Answer, Outcome, Question, QuestionKind, Result, Step

if TYPE_CHECKING:
    from collections.abc import Generator

    from belvedere.head.layout import FrameLayout
    from belvedere.lab.probe.findings import Findings
    from belvedere.link.port import LinkDetails

    Part: TypeAlias = Generator[Step, Result, None]

T = TypeVar("T", bound=msgspec.Struct)

FIRST_TRIALS = ((0.05, 0.3), (0.1, 0.6), (0.2, 1.0))
"""Share of full speed, and seconds, of the first trials: as little as can be seen, then a little more."""

TRIAL_S = 0.8
CANDIDATE_WORDS = ("01", "02", "03", "04", "08", "10", "20", "40", "80", "ff", "00")
"""Direction words to try if the profile's have no effect: small numbers, single bits, and all bits."""

MAX_HALVINGS = 5  # down to a thirtieth of the working speed
DROP_S = 1.0
DOWN_S = 3.0  # long enough to see whether the unit keeps turning
AXIS_OF = {Answer.RIGHT: Axis.PAN, Answer.LEFT: Axis.PAN, Answer.UP: Axis.TILT, Answer.DOWN: Axis.TILT}
NEGATIVE = {Answer.LEFT, Answer.DOWN}
OPPOSITE = {
    Answer.RIGHT: Answer.LEFT,
    Answer.LEFT: Answer.RIGHT,
    Answer.UP: Answer.DOWN,
    Answer.DOWN: Answer.UP,
}


class ProbeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to find out besides the stop and the directions.

    Attributes:
        wants_write_modes: try writing with and without response, if the unit allows both.
        wants_drop: find out what the unit does when its link drops while it turns.
        calibration_shares: shares of full speed at which to time turns; empty for no calibration.
        calibration_deg: the angle of those turns.
    """

    wants_write_modes: bool = True
    wants_drop: bool = True
    calibration_shares: tuple[float, ...] = (0.1, 0.2, 0.4)
    calibration_deg: float = 90.0


class Script:
    """The script of one probe: `run` yields steps, and adds to the findings."""

    def __init__(
        self, layout: FrameLayout, axis: Axis, details: LinkDetails, probe_options: ProbeOptions, findings: Findings
    ) -> None:
        self._layout = layout
        self._axis = axis
        self._details = details
        self._wishes = probe_options
        self._findings = findings
        self._share = FIRST_TRIALS[0][0]
        self._seen: dict[str, Answer] = {}

    def run(self) -> Generator[Step, Result, Outcome]:
        """All parts in turn; without a proven stop, only the first."""
        is_proven = yield from self._prove_stop()
        if not is_proven:
            return Outcome.STOP_UNPROVEN
        yield from self._learn_directions()
        yield from self._learn_speeds()
        if self._wishes.wants_write_modes:
            yield from self._learn_write_modes()
        if self._wishes.wants_drop:
            yield from self._learn_drop()
        yield from self._calibrate()
        return Outcome.DONE

    def _prove_stop(self) -> Generator[Step, Result, bool]:
        """Prove the stop: the unit must be at rest after one, and the smallest motion must end with another."""
        result = yield Step(title="The unit was told to stop.", after=_still_question("Does the unit stand still?"))
        if result.answer is not Answer.YES:
            return False
        is_turned = yield from self._find_smallest_motion()
        if not is_turned:
            return False
        result = yield Step(title="It was told to stop again.", after=_still_question("Does it stand still now?"))
        if result.answer is not Answer.YES:
            return False
        stop = stop_frame(self._layout).hex()
        evidence = f"stop {stop}: ended a turn at {self._share:.0%} of full speed"
        if self._layout.stop_is_proven:
            self._findings.note("frame", evidence)
        else:
            self._findings.set("frame", "stop_is_proven", value=True, evidence=evidence)
        return True

    def _find_smallest_motion(self) -> Generator[Step, Result, bool]:
        """Find the slowest and shortest motion that can be seen, in either direction."""
        for name in ("positive", "negative"):
            for share, bound_s in FIRST_TRIALS:
                seen = yield from self._trial(name, share, bound_s)
                if seen is Answer.SKIP:
                    return False
                if seen not in {Answer.NOTHING, Answer.LOST}:
                    self._share = share
                    return True
        return (yield from self._search_direction_word("positive", FIRST_TRIALS[-1][0]))

    def _learn_directions(self) -> Part:
        """Find out which way each direction word turns; try others where one has no effect."""
        for name in ("positive", "negative"):
            seen = yield from self._trial(name, self._share, TRIAL_S)
            if seen is Answer.NOTHING:
                yield from self._search_direction_word(name, self._share)
        self._record_directions()

    def _search_direction_word(self, name: str, share: float) -> Generator[Step, Result, bool]:
        """Search for a working direction word; True if one was found, which is then set in the layout."""
        words = self._layout.direction
        if words is None:
            return False  # the direction is the speed's sign
        taken = set(words.words)
        width = len(words.positive)
        for word in dict.fromkeys(candidate.zfill(width)[-width:] for candidate in CANDIDATE_WORDS):
            if word in taken:
                continue
            former = self._layout
            try:
                self._layout = _replaced(former, direction=_replaced(words, **{name: word}))
            except ValueError:  # the stop has this word, so it is no direction
                continue
            seen = yield from self._trial(name, share, TRIAL_S)
            if seen in DIRECTIONS and seen not in {self._seen.get(other) for other in self._seen if other != name}:
                self._findings.set(
                    "frame.direction", name, word, f"direction {word}: turned {seen}; the previous word had no effect"
                )
                self._share = share
                return True
            self._layout = former
        self._findings.note(
            "frame.direction", f"{name}: none of the words {', '.join(CANDIDATE_WORDS)} turned it the other way"
        )
        return False

    def _trial(self, name: str, share: float, bound_s: float) -> Generator[Step, Result, Answer]:
        """Turn briefly in one direction, and ask what was seen."""
        frame, speed = self._frame(name, share)
        direction = self._direction_name(name)
        result = yield Step(
            title=f"{direction[0].upper()}{direction[1:]}, speed {speed} ({share:.0%} of full), for {bound_s:g} s.",
            frame=frame,
            bound_s=bound_s,
            before=_go_question("Try it?"),
            after=Question(QuestionKind.SEEN, "What did the camera do?"),
        )
        if result.answer in DIRECTIONS:
            self._seen[name] = result.answer
        return result.answer

    def _direction_name(self, name: str) -> str:
        """What a direction is called in messages."""
        words = self._layout.direction
        return f"the {name} direction" if words is None else f"direction {getattr(words, name)}"

    def _record_directions(self) -> None:
        positive, negative = self._seen.get("positive"), self._seen.get("negative")
        names = self._direction_name("positive"), self._direction_name("negative")
        evidence = f"{names[0]} turned {positive or 'nothing'}, {names[1]} {negative or 'nothing'}"
        known = positive or (OPPOSITE[negative] if negative else None)
        if known is None or (positive and negative and OPPOSITE[positive] is not negative):
            self._findings.note(self._axis, f"{evidence}: this is inconsistent; the frame layout may be wrong")
            return
        if AXIS_OF[known] is not self._axis:
            self._findings.note(self._axis, f"{evidence}: this is the {AXIS_OF[known]} unit, not the {self._axis} unit")
            return
        self._findings.set(self._axis, "invert", known in NEGATIVE, evidence)

    def _learn_speeds(self) -> Part:
        """Find out whether a larger number is faster, and the smallest that turns the unit."""
        slow, fast = self._frame("positive", self._share / 2), self._frame("positive", self._share)
        yield self._comparison_trial(slow, "The first of two trials to compare.")
        question = Question(QuestionKind.FASTER_RATIO, "Which of the two was faster?")
        result = yield self._comparison_trial(
            fast, "The second, twice as fast if the profile's encoding is right.", question
        )
        self._findings.note(
            "frame.speed", f"speed {fast[1]} against {slow[1]}: faster was {result.answer}; expected {Answer.SECOND}"
        )
        slowest, speed = None, fast[1]
        for _ in range(MAX_HALVINGS):
            share = speed / self._layout.speed.fastest
            seen = yield from self._trial("positive", share, TRIAL_S)
            if seen not in DIRECTIONS:
                break
            slowest, speed = speed, max(1, speed // 2)
            if slowest == speed:
                break
        if slowest is not None:
            evidence = f"speed {slowest} is the smallest at which it was seen to turn"
            self._findings.set("frame.speed", "slowest", slowest, evidence)

    def _comparison_trial(self, tried: tuple[bytes, int], title: str, after: Question | None = None) -> Step:
        frame, speed = tried
        return Step(
            title=f"{title} Speed {speed}, for {TRIAL_S:g} s.",
            frame=frame,
            bound_s=TRIAL_S,
            before=_go_question("Try it?"),
            after=after,
        )

    def _learn_write_modes(self) -> Part:
        """Find out whether the unit obeys writes with response, and those without."""
        details = self._details
        if not (details.can_write_with_response and details.can_write_without_response):
            only = "with" if details.can_write_with_response else "without"
            self._findings.note(self._axis, f"write: the unit supports writes {only} response only")
            return
        obeyed = {}
        for mode in (WriteMode.WITH_RESPONSE, WriteMode.WITHOUT_RESPONSE):
            frame, speed = self._frame("positive", self._share)
            result = yield Step(
                title=f"Writing {mode.replace('-', ' ')}: speed {speed}, for {TRIAL_S:g} s.",
                frame=frame,
                bound_s=TRIAL_S,
                mode=mode,
                before=_go_question("Try it?"),
                after=Question(QuestionKind.SEEN, "What did the camera do?"),
            )
            obeyed[mode] = result.answer in DIRECTIONS
        evidence = ", ".join(f"{mode}: {'turned' if does else 'did not turn'}" for mode, does in obeyed.items())
        modes = [mode for mode, does in obeyed.items() if does]
        if modes:
            self._findings.set(self._axis, "write", WriteMode.AUTO if len(modes) > 1 else modes[0], evidence)
            yield Step(title="Back to a write mode that works.", mode=modes[-1])
        else:
            self._findings.note(self._axis, f"write: {evidence}")

    def _learn_drop(self) -> Part:
        """Find out what the unit does when its link drops while it turns slowly."""
        frame, speed = self._frame("positive", self._share)
        result = yield Step(
            title=(
                f"It turns at speed {speed}; the link is dropped on purpose, and opened again after {DOWN_S:g} s,"
                " with a stop first. The unit may keep turning for up to 10 s: leave it room."
            ),
            frame=frame,
            bound_s=DROP_S,
            down_s=DOWN_S,
            before=_go_question("Is there room, and may the link be dropped?"),
            after=Question(QuestionKind.DROPPED, "Did it stop by itself when the link was dropped?"),
        )
        conclusions = {
            Answer.YES: "stops by itself when its link drops",
            Answer.NO: "keeps turning when its link drops, until it is told to stop",
        }
        self._findings.note(
            self._axis, f"link dropped at speed {speed}: {conclusions.get(result.answer, result.answer)}"
        )

    def _calibrate(self) -> Part:
        """Time turns of a known angle, back and forth, so that no cable winds up."""
        turns: list[Turn] = []
        angle_deg = self._wishes.calibration_deg
        fastest = self._layout.speed.fastest
        for number, wanted in enumerate(self._wishes.calibration_shares):
            name = ("positive", "negative")[number % 2]
            frame, speed = self._frame(name, wanted)
            mark = f"a mark {angle_deg:g} degrees away" if number == 0 else "the other mark"
            result = yield Step(
                title=f"It turns towards {mark} at speed {speed} ({wanted:.0%} of full). Stop it there with any key.",
                frame=frame,
                bound_s=60.0,
                angle_deg=angle_deg,
                before=_go_question("Start the turn?"),
                after=Question(QuestionKind.REACHED, "Did it stop at the mark?"),
            )
            if result.answer is Answer.YES and result.was_stopped_by_observer:
                turns.append(Turn(speed / fastest, angle_deg, result.duration_s))
        found = calibrate(turns)
        if found is not None:
            timed = ", ".join(f"{turn.angle_deg:g} deg in {turn.seconds:.2f} s at {turn.share:.0%}" for turn in turns)
            evidence = f"{timed}; delay {found.delay_s:.2f} s, spread {found.spread:.0%}"
            self._findings.set(self._axis, "full_speed_deg_per_s", round(found.full_speed_deg_per_s, 2), evidence)

    def _frame(self, name: str, share: float) -> tuple[bytes, int]:
        """The frame for a direction and a share of full speed, and the speed as its number; never a stop."""
        fastest = self._layout.speed.fastest
        speed = min(max(1, round(share * fastest)), fastest)
        layout = _replaced(self._layout, speed=_replaced(self._layout.speed, slowest=1))
        return pack(layout, (1 if name == "positive" else -1) * speed / fastest), speed


def _replaced(value: T, **changes: object) -> T:
    return msgspec.structs.replace(value, **changes)


def _still_question(text: str) -> Question:
    return Question(QuestionKind.STILL, text)


def _go_question(text: str) -> Question:
    return Question(QuestionKind.GO, text)
