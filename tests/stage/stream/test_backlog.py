"""How far behind a viewer can be, with every kind of path and viewer."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.stream.backlog import (
    FIRST_PATH_S,
    MAX_PATH_S,
    SILENT_S,
    WAITING_S,
    Backlog,
    UnknownFrameError,
)

FRAME_S = 1 / 30
SIZE, IDR_SIZE = 12_000, 25_000  # bytes, at 3 Mbit/s


class Path:
    """Frames go out at 30 a second over a path that the test slows down; a frame that is acknowledged is shown."""

    def __init__(self, path_s: float) -> None:
        self.backlog = Backlog()
        self.path_s = path_s
        self.now_s = 0.0
        self.ticks = 0
        self.sent: list[int] = []
        self.idrs: list[int] = []
        self.is_blocked = False
        self._flying: deque[tuple[float, int]] = deque()

    def pass_s(self, seconds: float) -> None:
        """Frames are captured and, unless blocked, acknowledged; an IDR comes whenever one is needed."""
        for _ in range(round(seconds / FRAME_S)):
            self.now_s += FRAME_S
            while not self.is_blocked and self._flying and self._flying[0][0] <= self.now_s:
                self.backlog.receive_acknowledgement(self._flying[0][0], self._flying.popleft()[1])
            self.ticks += 3000
            is_idr = self.backlog.needs_idr
            if self.backlog.receive_frame(self.now_s, self.ticks, SIZE, is_idr=is_idr):
                self.sent.append(self.ticks)
                self._flying.append((self.now_s + self.path_s, self.ticks))
                if is_idr:
                    self.idrs.append(self.ticks)


class NarrowPath:
    """Frames at 3 Mbit/s over a path that delivers them one after the other; IDRs on request, once a second at most."""

    def __init__(self, path_s: float, bytes_per_s: float, idr_size: int = IDR_SIZE, idr_every: int = 1_000_000) -> None:
        self.backlog = Backlog()
        self.path_s, self.bytes_per_s = path_s, bytes_per_s
        self.idr_size, self.idr_every = idr_size, idr_every
        self.sent: list[int] = []
        self.ages_s: list[float] = []
        self._number = 0
        self._free_s = self._idr_s = 0.0
        self._flying: deque[tuple[float, float, int]] = deque()  # when it is acknowledged, when it was sent, ticks

    def pass_s(self, seconds: float) -> None:
        """Frames are captured, delivered and acknowledged."""
        for _ in range(round(seconds / FRAME_S)):
            now_s = self._number * FRAME_S
            while self._flying and self._flying[0][0] <= now_s:
                at_s, sent_s, ticks = self._flying.popleft()
                self.backlog.receive_acknowledgement(at_s, ticks)
                self.ages_s.append(at_s - sent_s)
            is_wanted = self.backlog.needs_idr and now_s - self._idr_s >= 1
            is_idr = is_wanted or self._number % self.idr_every == 0
            size = self.idr_size if is_idr else SIZE
            self._idr_s = now_s if is_idr else self._idr_s
            if self.backlog.receive_frame(now_s, self._number, size, is_idr=is_idr):
                self.sent.append(self._number)
                self._free_s = max(self._free_s, now_s) + size / self.bytes_per_s
                self._flying.append((self._free_s + self.path_s, now_s, self._number))
            self._number += 1


def test_it_begins_with_an_idr() -> None:
    backlog = Backlog()
    assert not backlog.receive_frame(0.0, 1, SIZE, is_idr=False)
    assert backlog.receive_frame(0.1, 2, SIZE, is_idr=True)
    assert backlog.receive_frame(0.2, 3, SIZE, is_idr=False)


@pytest.mark.parametrize("path_s", [0.0, 0.04, 0.3])
def test_over_a_steady_path_every_frame_is_sent(path_s: float) -> None:
    path = Path(path_s)
    path.pass_s(10)
    assert len(path.sent) == 300
    assert len(path.idrs) == 1


def test_over_a_very_long_path_every_frame_is_sent_after_a_false_start() -> None:
    path = Path(0.7)
    path.pass_s(3)
    assert len(path.idrs) == 2
    before = len(path.sent)
    path.pass_s(10)
    assert len(path.sent) - before == 300


@pytest.mark.parametrize("megabits_per_s", [0.5, 1, 2, 2.8])
def test_over_a_path_that_is_too_narrow_no_frame_arrives_late_after_the_first(megabits_per_s: float) -> None:
    path = NarrowPath(0.04, megabits_per_s * 1e6 / 8)
    path.pass_s(3)
    path.ages_s.clear()
    path.pass_s(20)
    alone_s = 0.04 + IDR_SIZE / path.bytes_per_s  # what an IDR takes by itself
    assert max(path.ages_s) <= alone_s + WAITING_S + 3 * FRAME_S
    assert len(path.ages_s) > 20


def test_a_large_idr_over_a_wide_path_is_no_reason_to_skip() -> None:
    path = NarrowPath(0.04, 20e6 / 8, idr_size=200_000, idr_every=60)
    path.pass_s(20)
    assert len(path.sent) == 600


@pytest.mark.parametrize("path_s", [0.04, 0.3])
def test_when_the_path_is_blocked_no_more_than_a_quarter_of_a_second_is_sent(path_s: float) -> None:
    path = Path(path_s)
    path.pass_s(5)
    before = len(path.sent)
    path.is_blocked = True
    path.pass_s(10)
    on_the_way = path_s / FRAME_S + 1
    assert len(path.sent) - before <= WAITING_S / FRAME_S + on_the_way
    assert not path.backlog.needs_idr


def test_after_a_blockage_it_goes_on_with_one_idr_once_all_has_arrived() -> None:
    path = Path(0.04)
    path.pass_s(5)
    path.is_blocked = True
    path.pass_s(2)
    blocked = len(path.sent)
    path.is_blocked = False
    path.pass_s(3)
    assert len(path.idrs) == 2
    assert path.idrs[1] == path.sent[blocked]
    assert len(path.sent) - blocked > 85


def test_frames_that_had_the_path_to_themselves_say_nothing_about_its_width() -> None:
    backlog = Backlog()
    for ticks in range(10):
        backlog.receive_frame(ticks, ticks, SIZE, is_idr=ticks == 0)
        backlog.receive_acknowledgement(ticks + 0.5, ticks)
    assert backlog._rate.bytes_per_s == float("inf")


def test_a_short_blockage_drops_nothing() -> None:
    path = Path(0.04)
    path.pass_s(5)
    path.is_blocked = True
    path.pass_s(0.2)
    path.is_blocked = False
    path.pass_s(1)
    assert len(path.sent) == 186
    assert len(path.idrs) == 1


def test_before_the_first_acknowledgement_the_path_is_taken_for_a_long_one() -> None:
    path = Path(0.04)
    path.is_blocked = True
    path.pass_s(5)
    assert FIRST_PATH_S + WAITING_S - 2 * FRAME_S <= len(path.sent) * FRAME_S <= FIRST_PATH_S + WAITING_S + 2 * FRAME_S


def test_a_path_that_becomes_longer_is_believed_after_a_while() -> None:
    path = Path(0.02)
    path.pass_s(5)
    path.path_s = 0.5
    path.pass_s(30)
    idrs = len(path.idrs)
    path.pass_s(10)
    assert len(path.idrs) == idrs
    assert len(path.sent) > 300


def test_a_viewer_that_acknowledges_late_on_purpose_gains_no_more_than_the_longest_path() -> None:
    path = Path(60.0)
    path.pass_s(4)
    assert len(path.sent) * FRAME_S <= FIRST_PATH_S + WAITING_S + 2 * FRAME_S
    path.backlog.receive_acknowledgement(100.0, path.sent[-1])
    path.now_s = 100.0
    before = len(path.sent)
    path.pass_s(10)
    assert (len(path.sent) - before) * FRAME_S <= MAX_PATH_S + WAITING_S + 2 * FRAME_S


def test_what_was_dropped_before_it_left_is_not_waited_for() -> None:
    backlog = Backlog()
    for ticks in (1, 2, 3):
        backlog.receive_frame(0.0, ticks, SIZE, is_idr=ticks == 1)
    backlog.receive_dropped(2)
    assert not backlog.needs_idr
    backlog.receive_acknowledgement(0.1, 1)
    assert backlog.needs_idr


def test_an_acknowledgement_counts_once_and_one_of_an_unsent_frame_is_refused() -> None:
    backlog = Backlog()
    backlog.receive_frame(0.0, 10, SIZE, is_idr=True)
    backlog.receive_frame(0.0, 20, SIZE, is_idr=False)
    with pytest.raises(UnknownFrameError):
        backlog.receive_acknowledgement(0.1, 21)
    for ticks in (20, 10, 20, 0):
        backlog.receive_acknowledgement(0.1, ticks)
    assert not backlog.is_silent(100.0)


def test_a_viewer_that_acknowledges_nothing_is_silent() -> None:
    backlog = Backlog()
    assert not backlog.is_silent(100.0)
    backlog.receive_frame(0.0, 1, SIZE, is_idr=True)
    assert not backlog.is_silent(SILENT_S)
    assert backlog.is_silent(SILENT_S + 0.01)


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans(), st.booleans()), max_size=60))
def test_whatever_the_path_does_no_frame_is_sent_while_one_waits_too_long(
    steps: list[tuple[float, bool, bool]],
) -> None:
    backlog, now_s = Backlog(), 0.0
    unacknowledged: dict[int, float] = {}
    for ticks, (wait_s, is_idr, acknowledges) in enumerate(steps):
        now_s += wait_s
        if acknowledges and unacknowledged:
            backlog.receive_acknowledgement(now_s, max(unacknowledged))
            unacknowledged.clear()
        oldest_s = min(unacknowledged.values(), default=now_s)
        if backlog.receive_frame(now_s, ticks, SIZE, is_idr=is_idr):
            assert now_s - oldest_s <= MAX_PATH_S + WAITING_S
            unacknowledged[ticks] = now_s
