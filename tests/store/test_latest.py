from __future__ import annotations

import contextlib
import math
import sqlite3

from belvedere.errors import StoreError
from belvedere.store.latest import (
    LATE_S,
    MAX_WAITING,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
    LatestWrite,
    LatestWrites,
    Retry,
    is_of_the_disk,
)

FULL = StoreError("the disk is full")
DAMAGED = StoreError("is damaged", is_lasting=True)


def write(what: str = "it") -> LatestWrite:
    return LatestWrite(what, lambda _connection: None)


def test_a_retry_is_due_at_once_then_less_and_less_often_and_at_once_after_a_success() -> None:
    retry, now, waits = Retry(), 100.0, []
    assert retry.is_due(now)
    for _ in range(2000):
        retry.receive_error(FULL, now)
        assert not retry.is_due(now)
        waits.append(retry.wait_s(now))
        now += waits[-1]
        assert retry.is_due(now)
    assert waits[:4] == [RETRY_FIRST_S, 2 * RETRY_FIRST_S, 4 * RETRY_FIRST_S, 8 * RETRY_FIRST_S]
    assert set(waits[10:]) == {RETRY_LONGEST_S}
    retry.receive_success()
    assert retry.is_due(0)
    retry.receive_error(FULL, now)
    assert retry.wait_s(now) == RETRY_FIRST_S


def test_the_first_failure_and_the_first_success_after_it_are_reported_once() -> None:
    retry = Retry()
    assert [retry.receive_error(FULL, 1), retry.receive_error(FULL, 2)] == [True, False]
    assert [retry.receive_success(), retry.receive_success()] == [True, False]


def test_a_permanent_error_is_not_retried() -> None:
    retry = Retry()
    retry.receive_error(DAMAGED, 0)
    assert (retry.is_hopeless, retry.is_due(1e9), retry.wait_s(1e9)) == (True, False, math.inf)


def test_a_newer_write_replaces_a_waiting_one_and_one_that_came_during_a_write_remains() -> None:
    latest, old, newer, other = LatestWrites(), write(), write(), write()
    latest.put("pan", write(), 0)
    latest.put("pan", old, 1)
    latest.put("tilt", other, 1)
    taken = [*latest.waiting.items()]
    assert taken == [("pan", old), ("tilt", other)]
    latest.put("pan", newer, 2)
    latest.receive_saved(taken, 3)
    assert latest.waiting == {"pan": newer}


def test_the_oldest_is_dropped_when_there_are_too_many() -> None:
    latest = LatestWrites()
    for number in range(MAX_WAITING + 3):
        latest.put(str(number), write(), 0)
    latest.put("3", write("newer"), 0)
    assert len(latest.waiting) == MAX_WAITING
    assert latest.waiting["3"].what == "newer"
    assert "2" not in latest.waiting


def test_what_waits_too_long_does_not_count_as_saved_and_neither_does_what_failed() -> None:
    latest = LatestWrites()
    latest.put("pan", write(), 0)
    latest.put("pan", write(), LATE_S)
    assert [latest.is_saving(LATE_S), latest.is_saving(LATE_S + 1)] == [True, False]
    latest.receive_saved([*latest.waiting.items()], LATE_S)
    assert latest.is_saving(1e9)
    latest.retry.receive_error(FULL, 0)
    assert not latest.is_saving(0)


def error_of(*statements: str) -> Exception:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        try:
            for statement in ("CREATE TABLE one (a PRIMARY KEY)", *statements):
                connection.execute(statement)
        except sqlite3.Error as error:
            return error
    raise AssertionError("no error")


def test_an_error_of_the_disk_is_distinguished_from_one_of_the_call() -> None:
    assert not is_of_the_disk(error_of("SELECT * FROM nowhere"))
    assert not is_of_the_disk(error_of("INSERT INTO one VALUES (1), (1)"))
    assert is_of_the_disk(error_of("PRAGMA query_only = ON", "INSERT INTO one VALUES (1)"))
    assert is_of_the_disk(error_of("PRAGMA max_page_count = 3", "INSERT INTO one VALUES (zeroblob(100000))"))


def test_a_bug_is_not_an_error_of_the_disk_and_lack_of_memory_may_be_temporary() -> None:
    assert not is_of_the_disk(TypeError())
    assert is_of_the_disk(MemoryError())
    assert is_of_the_disk(FULL)
