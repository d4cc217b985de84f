from __future__ import annotations

import math
import queue
import threading

import pytest

from belvedere.store.worker import WorkerThread

pytestmark = pytest.mark.realtime
WAIT_TIMEOUT_S = 30


class Work:
    """Records each call, and returns what the test set."""

    def __init__(self) -> None:
        self.calls: queue.Queue[str] = queue.Queue()
        self.answers: queue.Queue[float | None] = queue.Queue()

    def __call__(self) -> float | None:
        self.calls.put(threading.current_thread().name)
        return self.answers.get(timeout=WAIT_TIMEOUT_S)

    def wait_for_call(self) -> str:
        return self.calls.get(timeout=WAIT_TIMEOUT_S)


def begin(work: Work) -> tuple[WorkerThread, threading.Thread]:
    before = set(threading.enumerate())
    worker = WorkerThread(work)
    worker.start()
    (thread,) = set(threading.enumerate()) - before
    return worker, thread


def end(work: Work, thread: threading.Thread) -> None:
    work.answers.put(None)
    thread.join(WAIT_TIMEOUT_S)
    assert not thread.is_alive()


def test_work_is_called_in_a_thread_when_woken_and_when_due_until_it_returns_none() -> None:
    work = Work()
    worker, thread = begin(work)
    assert work.wait_for_call() == "store"
    work.answers.put(0.01)
    work.wait_for_call()
    work.answers.put(math.inf)
    worker.wake()
    work.wait_for_call()
    end(work, thread)
    worker.wake()
    assert work.calls.empty()


def test_wakes_during_work_are_not_lost_and_count_as_one() -> None:
    work = Work()
    worker, thread = begin(work)
    work.wait_for_call()
    for _ in range(10):
        worker.wake()
    work.answers.put(math.inf)
    work.wait_for_call()
    end(work, thread)
    assert work.calls.empty()


def test_the_thread_does_not_keep_the_process_alive() -> None:
    work = Work()
    _worker, thread = begin(work)
    work.wait_for_call()
    assert thread.daemon
    end(work, thread)
