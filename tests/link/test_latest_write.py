"""The single slot in which a command may wait."""

from __future__ import annotations

from belvedere.link.latest_write import LatestWrite, PendingWrite

STOP = PendingWrite(b"\x00", 0.0, is_stop=True)
MOVE, NEWER = PendingWrite(b"\x01", 0.5, is_stop=False), PendingWrite(b"\x02", 0.6, is_stop=False)


def test_nothing_waits_at_first() -> None:
    assert LatestWrite().take() is None


def test_what_was_put_is_taken_once() -> None:
    latest = LatestWrite()
    latest.put(MOVE)
    assert (latest.pending, latest.take(), latest.take(), latest.pending) == (MOVE, MOVE, None, None)


def test_a_newer_move_replaces_an_older_one() -> None:
    latest = LatestWrite()
    latest.put(MOVE)
    latest.put(NEWER)
    assert (latest.take(), latest.take()) == (NEWER, None)


def test_a_stop_replaces_a_move_that_waits() -> None:
    latest = LatestWrite()
    latest.put(MOVE)
    latest.put(STOP)
    assert (latest.take(), latest.take()) == (STOP, None)


def test_a_move_after_a_stop_waits_behind_it_and_only_the_newest_does() -> None:
    latest = LatestWrite()
    for pending in (STOP, MOVE, NEWER):
        latest.put(pending)
    assert (latest.take(), latest.take(), latest.take()) == (STOP, NEWER, None)


def test_a_stop_can_be_discarded_alone() -> None:
    latest = LatestWrite()
    latest.put(STOP)
    latest.put(MOVE)
    latest.drop_stop()
    assert (latest.take(), latest.take()) == (MOVE, None)


def test_everything_can_be_discarded() -> None:
    latest = LatestWrite()
    latest.put(STOP)
    latest.put(MOVE)
    latest.clear()
    assert latest.take() is None
