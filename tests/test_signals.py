import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from belvedere.signals import SIGNALS, handle_termination


@pytest.mark.realtime
@pytest.mark.parametrize("number", SIGNALS)
async def test_each_signal_that_would_end_the_process_is_reported_instead(number: signal.Signals) -> None:
    ending = asyncio.Event()
    with handle_termination(ending.set):
        os.kill(os.getpid(), number)
        await ending.wait()


@pytest.mark.realtime
async def test_afterwards_the_signals_are_as_they_were() -> None:
    with handle_termination(lambda: None):
        pass
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.realtime
def test_a_loop_in_another_thread_runs_and_leaves_the_signals_as_they_are() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]

    async def run() -> list[object]:
        with handle_termination(lambda: None):
            return [signal.getsignal(number) for number in SIGNALS]

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, run()).result(10) == before
