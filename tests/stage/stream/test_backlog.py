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
            if self.backlog.receive_frame(self.now_s, self.ticks, is_idr=is_idr):
                self.sent.append(self.ticks)
                self._flying.append((self.now_s + self.path_s, self.ticks))
                if is_idr:
                    self.idrs.append(self.ticks)


def test_it_begins_with_an_idr() -> None:
    backlog = Backlog()
    assert not backlog.receive_frame(0.0, 1, is_idr=False)
    assert backlog.receive_frame(0.1, 2, is_idr=True)
    assert backlog.receive_frame(0.2, 3, is_idr=False)


@pytest.mark.parametrize("path_s", [0.0, 0.04, 0.3, 0.7])
def test_over_a_steady_path_every_frame_is_sent(path_s: float) -> None:
    path = Path(path_s)
    path.pass_s(10)
    assert len(path.sent) == 300
    assert len(path.idrs) == 1


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
        backlog.receive_frame(0.0, ticks, is_idr=ticks == 1)
    backlog.receive_dropped(2)
    assert not backlog.needs_idr
    backlog.receive_acknowledgement(0.1, 1)
    assert backlog.needs_idr


def test_an_acknowledgement_counts_once_and_one_of_an_unsent_frame_is_refused() -> None:
    backlog = Backlog()
    backlog.receive_frame(0.0, 10, is_idr=True)
    backlog.receive_frame(0.0, 20, is_idr=False)
    with pytest.raises(UnknownFrameError):
        backlog.receive_acknowledgement(0.1, 21)
    for ticks in (20, 10, 20, 0):
        backlog.receive_acknowledgement(0.1, ticks)
    assert not backlog.is_silent(100.0)


def test_a_viewer_that_acknowledges_nothing_is_silent() -> None:
    backlog = Backlog()
    assert not backlog.is_silent(100.0)
    backlog.receive_frame(0.0, 1, is_idr=True)
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
        if backlog.receive_frame(now_s, ticks, is_idr=is_idr):
            assert now_s - oldest_s <= MAX_PATH_S + WAITING_S
            unacknowledged[ticks] = now_s
