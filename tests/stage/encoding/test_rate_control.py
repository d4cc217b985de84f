from __future__ import annotations

import itertools
import math
import random
from collections import deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.encoding.rate_control import SIZES, EncodingTarget, RateControl, ViewerRate

if TYPE_CHECKING:
    from collections.abc import Callable

FPS = 30
FLOOR, CEILING = 250_000, 3_000_000
PIXELS_PER_S = 1280 * 720 * FPS


class Link:
    """One viewer behind a link with a queue, who estimates and reports as a browser does.

    The estimate follows what arrives: it falls to 0.85 of it when packets queue up, and is at most 1.5 times it
    otherwise. A packet that finds the queue full is lost.
    """

    def __init__(self, bits_per_s: float, *, queue_s: float = 0.5, reports_capacity: bool = True) -> None:
        self.bits_per_s = bits_per_s
        self.arrivals: list[float] = []
        self.delays: list[float] = []
        self._queue_s = queue_s
        self._reports_capacity = reports_capacity
        self._free_s = 0.0
        self._received: deque[tuple[float, int]] = deque()
        self._sent = self._lost = 0
        self._estimate = math.inf
        self._needs_idr = True
        self._reported_s = 0.0

    def send(self, bits: int, now_s: float, *, is_idr: bool) -> None:
        """A picture is cut into packets, which queue up one after the other."""
        is_whole = True
        packets = math.ceil(bits / 10_000)
        for _ in range(packets):
            self._sent += 1
            waits_s = max(0.0, self._free_s - now_s)
            if waits_s > self._queue_s:
                self._lost += 1
                is_whole = False
                continue
            self._free_s = now_s + waits_s + bits / packets / self.bits_per_s
            self._received.append((self._free_s, bits // packets))
        self._needs_idr = not is_whole or (self._needs_idr and not is_idr)
        if not self._needs_idr:
            self.arrivals.append(self._free_s)
            self.delays.append(self._free_s - now_s)

    def report(self, rate: ViewerRate, now_s: float) -> bool:
        """Once a second, or at once when packets queue up; returns whether an IDR is needed."""
        waits_s = max(0.0, self._free_s - now_s)
        if now_s - self._reported_s >= (0.25 if waits_s > 0.1 else 1.0):
            self._reported_s = now_s
            while self._received and self._received[0][0] < now_s - 1:
                self._received.popleft()
            arrived = sum(bits for at_s, bits in self._received if at_s <= now_s) / min(1.0, max(0.1, now_s))
            if waits_s > 0.1:
                self._estimate = 0.85 * arrived
            elif self._estimate < 1.5 * arrived:
                self._estimate = min(1.5 * arrived, self._estimate * 1.08)
            elif self._estimate == math.inf:
                self._estimate = 1.5 * arrived
            if self._reports_capacity:
                rate.receive_capacity(self._estimate, now_s)
            rate.receive_loss(self._lost / max(1, self._sent), now_s)
            rate.receive_round_trip(0.04 + waits_s, now_s)
            self._sent = self._lost = 0
        return self._needs_idr


class Simulation:
    """An encoder that keeps to its target, and viewers."""

    def __init__(self, *links: Link) -> None:
        self.control = RateControl(PIXELS_PER_S, floor=FLOOR, ceiling=CEILING)
        self.links = links
        self.rates = [self.control.add(str(number)) for number, _ in enumerate(links)]
        self.targets: list[tuple[float, EncodingTarget]] = []
        self.busy = 0.95  # of the bitrate, which the pictures fill
        self._now_s = 0.0
        self._target = EncodingTarget(CEILING)
        self._wants_idr = True
        self._idr_s = -9.0
        self._chance = random.Random(1)

    def run(self, seconds: float) -> None:
        end_s = self._now_s + seconds
        while self._now_s < end_s:
            self._now_s += self._target.every / FPS
            is_idr = self._wants_idr and self._now_s - self._idr_s >= 1.0
            bits = self.busy * self._target.bits_per_s * self._target.every / FPS * self._chance.uniform(0.7, 1.3)
            if is_idr:
                bits, self._wants_idr, self._idr_s = self._target.bits_per_s * 0.08, False, self._now_s
            for link, rate in zip(self.links, self.rates, strict=True):
                if is_idr or not rate.is_left_behind:
                    link.send(round(bits), self._now_s, is_idr=is_idr)
                self._wants_idr |= link.report(rate, self._now_s) and not rate.is_left_behind
            before, self._target = self._target, self.control.receive_frame(round(bits / 8), self._now_s)
            self._wants_idr |= (before.size, before.every) != (self._target.size, self._target.every)
            self.targets.append((self._now_s, self._target))

    def longest_freeze_s(self, link: Link, from_s: float) -> float:
        times = [from_s, *(at_s for at_s in link.arrivals if at_s >= from_s), self._now_s]
        return max(after - before for before, after in itertools.pairwise(times))

    def bits_per_s(self, from_s: float) -> float:
        chosen = [target.bits_per_s for at_s, target in self.targets if at_s >= from_s]
        return sum(chosen) / len(chosen)


@pytest.mark.parametrize("bits_per_s", [500_000, 1_000_000, 2_000_000])
@pytest.mark.parametrize("reports_capacity", [True, False])
def test_the_picture_fits_a_slow_link_after_the_first_seconds_and_does_not_freeze(
    bits_per_s: float, *, reports_capacity: bool
) -> None:
    link = Link(bits_per_s, reports_capacity=reports_capacity)
    simulation = Simulation(link)
    simulation.run(60)
    assert simulation.longest_freeze_s(link, from_s=5 if reports_capacity else 8) <= (0.5 if reports_capacity else 1.0)
    assert 0.45 * bits_per_s <= simulation.bits_per_s(from_s=10) <= 1.05 * bits_per_s


@pytest.mark.parametrize("queue_s", [0.2, 0.5])
def test_the_first_viewer_begins_lower_so_that_a_slow_link_is_not_full_at_once(queue_s: float) -> None:
    link = Link(1_000_000, queue_s=queue_s)
    simulation = Simulation(link)
    assert simulation.control.target == EncodingTarget(CEILING // 2)
    simulation.run(10)
    assert simulation.longest_freeze_s(link, from_s=0.5) <= 0.7


def test_a_link_that_carries_all_gets_all_within_two_seconds() -> None:
    simulation = Simulation(Link(8_000_000))
    simulation.run(2)
    assert simulation.targets[-1][1] == EncodingTarget(CEILING)
    assert {target.size for _, target in simulation.targets} == {1}


def test_a_link_that_is_full_at_the_start_has_one_fall_and_no_more() -> None:
    link = Link(2_000_000, queue_s=0.2, reports_capacity=False)
    simulation = Simulation(link)
    simulation.run(5)
    assert 1_400_000 <= simulation.bits_per_s(from_s=2) <= 2_000_000
    assert simulation.longest_freeze_s(link, from_s=0.5) <= 1.0  # an IDR a second, and nothing is retransmitted here


def test_a_newcomer_does_not_blur_the_picture_of_those_who_watch() -> None:
    simulation = Simulation(Link(8_000_000))
    simulation.run(3)
    newcomer = simulation.control.add("bob")
    assert newcomer.bits_per_s == CEILING
    simulation.run(1)
    assert simulation.bits_per_s(from_s=3) == CEILING


def test_the_bitrate_comes_back_when_the_link_widens_and_the_size_later() -> None:
    link = Link(500_000)
    simulation = Simulation(link)
    simulation.run(20)
    assert simulation.targets[-1][1].size < 1
    link.bits_per_s = 10_000_000
    simulation.run(60)
    assert simulation.targets[-1][1] == EncodingTarget(CEILING)
    assert simulation.longest_freeze_s(link, from_s=21) <= 0.5


def test_the_picture_follows_a_link_that_becomes_narrow() -> None:
    link = Link(10_000_000)
    simulation = Simulation(link)
    simulation.run(20)
    assert simulation.targets[-1][1] == EncodingTarget(CEILING)
    link.bits_per_s = 800_000
    simulation.run(30)
    assert simulation.longest_freeze_s(link, from_s=24) <= 0.5
    assert simulation.bits_per_s(from_s=25) <= 800_000


def test_one_viewer_with_a_much_worse_link_is_left_behind_and_costs_the_others_nothing() -> None:
    good, other, bad = Link(8_000_000), Link(8_000_000), Link(600_000)
    simulation = Simulation(good, other, bad)
    was_left_behind = []
    for _ in range(60):
        simulation.run(1)
        was_left_behind.append(simulation.rates[2].is_left_behind)
    assert sum(was_left_behind) >= 50  # it is tried again now and then
    assert simulation.bits_per_s(from_s=5) >= 0.95 * CEILING
    assert simulation.longest_freeze_s(good, from_s=5) <= 0.1


def test_one_viewer_with_a_slightly_worse_link_is_followed() -> None:
    links = Link(8_000_000), Link(8_000_000), Link(2_200_000)
    simulation = Simulation(*links)
    simulation.run(60)
    assert simulation.bits_per_s(from_s=10) <= 2_200_000
    assert simulation.longest_freeze_s(links[2], from_s=10) <= 1.0


def test_several_slow_viewers_are_not_left_behind_by_one_who_is_fast() -> None:
    simulation = Simulation(Link(8_000_000), Link(900_000), Link(900_000), Link(900_000))
    simulation.run(30)
    assert sum(rate.is_left_behind for rate in simulation.rates) <= 1
    assert simulation.bits_per_s(from_s=10) <= 1_000_000


def test_a_picture_at_rest_that_needs_little_is_no_reason_to_fall_and_a_full_link_is_remembered() -> None:
    link = Link(1_500_000)
    simulation = Simulation(link)
    simulation.run(20)
    before = simulation.targets[-1][1].bits_per_s
    simulation.busy = 0.02
    simulation.run(8)
    assert before <= simulation.targets[-1][1].bits_per_s < CEILING
    simulation.busy = 0.95
    simulation.run(20)
    assert simulation.longest_freeze_s(link, from_s=30) <= 0.5


HOSTILE: list[Callable[[ViewerRate, float], None]] = [
    lambda rate, now_s: rate.receive_capacity(0, now_s),
    lambda rate, now_s: rate.receive_loss(1, now_s),
    lambda rate, now_s: rate.receive_round_trip(1e9, now_s),
    lambda rate, now_s: rate.receive_capacity(1e300, now_s),
]


@pytest.mark.parametrize("attack", HOSTILE)
def test_no_viewer_can_blur_the_picture_of_the_others(attack: Callable[[ViewerRate, float], None]) -> None:
    simulation = Simulation(Link(8_000_000))
    hostile = [simulation.control.add("mallory") for _ in range(3)]
    for _ in range(100):
        for rate in hostile:
            for _ in range(10):
                attack(rate, simulation._now_s)
        simulation.run(0.3)
    assert simulation.bits_per_s(from_s=2) >= 0.95 * CEILING


def test_a_viewer_who_claims_to_be_just_good_enough_costs_the_others_half_of_the_bitrate_at_most() -> None:
    simulation = Simulation(Link(8_000_000))
    hostile = [simulation.control.add("mallory") for _ in range(3)]
    for number in range(300):
        for share, rate in zip((0.51, 0.3, 1), hostile, strict=True):
            rate.receive_capacity(share * CEILING / 0.85, number / 10)
        simulation.run(0.1)
    assert simulation.bits_per_s(from_s=2) >= 0.5 * CEILING


def test_who_was_left_behind_is_followed_when_the_others_have_gone() -> None:
    good, bad = Link(8_000_000), Link(600_000)
    simulation = Simulation(good, bad)
    simulation.run(20)
    assert [rate.is_left_behind for rate in simulation.rates] == [False, True]
    simulation.control.remove(simulation.rates[0])
    simulation.run(20)
    assert [rate.is_left_behind for rate in simulation.rates] == [False, False]
    assert simulation.bits_per_s(from_s=35) <= 600_000


def test_without_viewers_all_is_sent_that_may_be() -> None:
    control = RateControl(PIXELS_PER_S, floor=FLOOR, ceiling=CEILING)
    rate = control.add("ann")
    rate.receive_loss(1, 1.0)
    assert control.receive_frame(1000, 1.0).bits_per_s < CEILING
    control.remove(rate)
    control.remove(rate)
    assert control.receive_frame(1000, 2.0).bits_per_s == CEILING


def test_size_steps_down_before_the_rate_of_pictures_and_comes_back_with_hysteresis() -> None:
    control = RateControl(PIXELS_PER_S, floor=100_000, ceiling=CEILING)
    rate = control.add("ann")
    rate.receive_loss(0.05, 0.0)  # so that nothing rises by itself
    steps = {}
    for kbps in (3000, 1100, 900, 600, 500, 300, 250, 200):
        rate.bits_per_s = kbps * 1000
        target = control.receive_frame(1, 1000.0 - kbps)
        steps[kbps] = (target.size, target.every)
    assert [steps[kbps] for kbps in (3000, 900, 500, 200)] == [
        (SIZES[0], 1),
        (SIZES[1], 1),
        (SIZES[2], 1),
        (SIZES[2], 2),
    ]
    rate.bits_per_s = 320_000  # less than 1.3 times what the step above needs
    assert [control.receive_frame(1, 1000.0 + second).every for second in range(10)] == [2] * 10
    rate.bits_per_s = 400_000
    assert [control.receive_frame(1, 1010.0 + second).every for second in range(6)] == [2, 2, 2, 2, 1, 1]


def test_a_bitrate_that_the_owner_chose_small_keeps_the_size_that_the_owner_chose() -> None:
    control = RateControl(PIXELS_PER_S, floor=FLOOR, ceiling=500_000)
    control.add("ann")
    chosen = [control.receive_frame(1, number / 10) for number in range(30)]
    assert chosen[-1] == EncodingTarget(500_000)
    assert {(float(target.size), target.every) for target in chosen} == {(1.0, 1)}


NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1) | st.floats(0, 1e7)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), NUMBERS, st.floats(0, 1)), max_size=60))
def test_whatever_is_reported_the_target_stays_within_its_bounds(
    reports: list[tuple[int, int, float, float]],
) -> None:
    control = RateControl(PIXELS_PER_S, floor=FLOOR, ceiling=CEILING)
    rates = [control.add(str(number % 2)) for number in range(3)]
    now_s = 0.0
    for viewer, kind, number, passed_s in reports:
        rate = rates[viewer]
        now_s += passed_s
        (rate.receive_capacity, rate.receive_loss, rate.receive_round_trip, lambda *_: None)[kind](number, now_s)
        target = control.receive_frame(10_000, now_s)
        assert FLOOR <= target.bits_per_s <= CEILING
        assert target.size in SIZES
        assert not all(rate.is_left_behind for rate in rates)
