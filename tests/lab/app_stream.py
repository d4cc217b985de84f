"""A simulated app session: a person drives a head of any layout for a while, as a log would record it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.streams import Sample, ValueStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

TICK_S = 0.05  # apps send a held stick twenty times a second


class AppUse(NamedTuple):
    """How the app is used.

    Attributes:
        presses: how often the stick is pressed.
        lost: the share of frames missing from the log.
        speeds: the speeds that the app offers, as shares of full speed; empty for any.
        is_one_way: whether only one direction is driven.
        is_never_silent: whether the app keeps sending the stop while at rest.
    """

    presses: int = 12
    lost: float = 0.0
    speeds: Sequence[float] = ()
    is_one_way: bool = False
    is_never_silent: bool = False


def app_stream(pack: Callable[[float], bytes], chance: Random, use: AppUse | None = None) -> ValueStream:
    """The values written to the handle; `pack` makes a frame from a velocity in [-1, 1]."""
    use = use or AppUse()
    now, sent, samples = 0.0, 0, []

    def send(velocity: float) -> None:
        nonlocal now, sent
        now, sent = now + TICK_S, sent + 1
        frame = pack(velocity)
        if chance.random() >= use.lost:
            samples.append(Sample(sent, now, frame))

    for _ in range(use.presses):
        way = 1 if use.is_one_way else chance.choice((-1, 1))
        speed = chance.uniform(0.05, 1)
        for _ in range(chance.randrange(5, 30)):
            speed = min(1.0, max(0.05, speed + chance.uniform(-0.1, 0.1)))
            send(way * min(use.speeds or (speed,), key=lambda known: abs(known - speed)))
        for _ in range(chance.randrange(20, 60) if use.is_never_silent else 2):
            send(0.0)
        now += 0 if use.is_never_silent else chance.uniform(1, 4)
    return ValueStream("C0:DE:00:00:5A:1E", "sent", 0x52, 0x17, None, tuple(samples))
