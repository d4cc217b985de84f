"""An observer that measures the angle answers as a person would."""

from __future__ import annotations

import asyncio

import pytest

from belvedere.head.axes import Axis
from belvedere.lab.probe.observer import AngleObserver
from belvedere.lab.probe.steps import Answer, Question, QuestionKind, Step
from belvedere.sim.physics import Motor

TRY = Step(frame=b"x", bound_s=1)


class Watched:
    """A motor, and an observer that measures its angle."""

    def __init__(self, axis: Axis = Axis.PAN) -> None:
        self.loop = asyncio.get_running_loop()
        self.motor = Motor(full_speed_deg_per_s=40, acceleration_deg_per_s2=1000)
        self.answers: list[Answer] = []
        self.observer = AngleObserver(
            lambda: self.motor.angle_at(self.loop.time()),
            axis,
            self.loop.time,
            lambda _step, _question, answer: self.answers.append(answer),
        )

    def turn(self, velocity: float) -> None:
        self.motor.command(velocity, self.loop.time())

    async def after_a_turn(self, velocity: float, seconds: float = 1.0) -> None:
        self.observer.receive_step(TRY)
        self.turn(velocity)
        await asyncio.sleep(seconds)
        self.turn(0)
        await asyncio.sleep(0.5)

    async def answer_to(self, kind: QuestionKind) -> Answer:
        return await self.observer.answer(TRY, Question(kind, "?"))


@pytest.mark.parametrize(
    ("axis", "velocity", "answer"),
    [
        (Axis.PAN, 0.1, Answer.RIGHT),
        (Axis.PAN, -0.1, Answer.LEFT),
        (Axis.TILT, 0.1, Answer.UP),
        (Axis.TILT, -0.1, Answer.DOWN),
        (Axis.PAN, 0.001, Answer.NOTHING),
    ],
)
async def test_which_way_it_turned_is_seen(axis: Axis, velocity: float, answer: Answer) -> None:
    watched = Watched(axis)
    await watched.after_a_turn(velocity)
    assert await watched.answer_to(QuestionKind.SEEN) is answer
    assert watched.answers == [answer]


async def test_rest_and_motion_are_told_apart() -> None:
    watched = Watched()
    assert await watched.answer_to(QuestionKind.STILL) is Answer.YES
    watched.turn(0.01)
    assert await watched.answer_to(QuestionKind.STILL) is Answer.NO
    assert await watched.answer_to(QuestionKind.SEEN) is Answer.TURNING


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [(0.1, 0.2, Answer.SECOND), (0.2, 0.1, Answer.FIRST), (0.2, 0.2, Answer.SAME), (0.1, -0.2, Answer.SECOND)],
)
async def test_the_faster_of_two_is_known(first: float, second: float, answer: Answer) -> None:
    watched = Watched()
    await watched.after_a_turn(first)
    await watched.after_a_turn(second)
    assert await watched.answer_to(QuestionKind.FASTER_RATIO) is answer


@pytest.mark.parametrize(("stops", "answer"), [(True, Answer.YES), (False, Answer.NO)])
async def test_what_it_did_while_the_link_was_down_is_known(answer: Answer, *, stops: bool) -> None:
    watched = Watched()
    watched.observer.receive_step(TRY)
    watched.turn(0.05)
    await asyncio.sleep(3)
    watched.observer.receive_link(is_up=False)
    if stops:
        watched.turn(0)
    await asyncio.sleep(3)
    watched.observer.receive_link(is_up=True)
    watched.turn(0)
    await asyncio.sleep(1)
    assert await watched.answer_to(QuestionKind.DROPPED) is answer


async def test_a_timed_turn_is_ended_at_its_angle() -> None:
    watched = Watched()
    watched.observer.receive_step(Step(frame=b"x", angle_deg=90))
    began = watched.loop.time()
    watched.turn(-0.5)
    await watched.observer.wants_stop()
    assert watched.loop.time() - began == pytest.approx(4.5, abs=0.1)


async def test_a_try_of_fixed_length_is_left_to_its_bound() -> None:
    watched = Watched()
    watched.observer.receive_step(TRY)
    waiting = asyncio.create_task(watched.observer.wants_stop())
    await asyncio.sleep(100)
    assert not waiting.done()
    waiting.cancel()


async def test_whatever_is_to_be_tried_may_be() -> None:
    assert await Watched().answer_to(QuestionKind.GO) is Answer.GO
