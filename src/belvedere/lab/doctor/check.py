"""Checks that know nothing of each other: each in its own time, and none that hangs keeps another from being told."""

from __future__ import annotations

import asyncio
import enum
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from belvedere.errors import LinkError, LinkReason
from belvedere.link.calls import Calls, outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

T = TypeVar("T")

logger = logging.getLogger(__name__)

QUICK_S = 5.0  # reading files of the kernel takes milliseconds


class CheckState(enum.StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "bad"
    UNKNOWN = "unknown"


class CheckResult(msgspec.Struct, frozen=True):
    """One line of the report: what was looked at, how it stands, what that means, and what mends it."""

    name: str
    state: CheckState
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at, and how long that may take."""

    name: str
    run: Callable[[], Awaitable[Sequence[CheckResult]]]
    timeout_s: float = QUICK_S


async def run_checks(
    checks: Iterable[Check], on_result: Callable[[CheckResult], None] = lambda _finding: None
) -> list[CheckResult]:
    """All findings, in the order of the checks, which run at the same time; `on_result` is told each at once.

    A check that takes too long or fails is a finding too.
    """
    calls = Calls()

    async def run(check: Check) -> list[CheckResult]:
        try:
            found = list(await outcome(calls.begin(_run_safely(check)), check.timeout_s))
        except LinkError as error:
            if error.reason is not LinkReason.UNANSWERED:
                raise
            found = [CheckResult(check.name, CheckState.UNKNOWN, f"no answer within {check.timeout_s:g} s")]
        for result in found:
            on_result(result)
        return found

    found = await asyncio.gather(*(run(check) for check in checks))
    return [result for results in found for result in results]


def worst_state(results: Iterable[CheckResult]) -> CheckState:
    """How it stands with all of it together."""
    order = (CheckState.ERROR, CheckState.WARNING, CheckState.UNKNOWN)
    states = {result.state for result in results}
    return next((state for state in order if state in states), CheckState.OK)


async def run_in_thread(work: Callable[[], T]) -> T:
    """What `work` returns or raises, in a thread that nobody waits for when it hangs in the kernel."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def set_result(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only beside an error, or as what `work` returns

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed on to whoever asked
            failure = error
        try:
            loop.call_soon_threadsafe(set_result, result, failure)
        except RuntimeError:  # the loop has ended; nobody wants to know any more
            logger.debug("a check ended after the doctor had gone")

    threading.Thread(target=run, daemon=True, name="check").start()
    return await done


def in_worker_thread(work: Callable[[], Sequence[CheckResult]]) -> Callable[[], Awaitable[Sequence[CheckResult]]]:
    """The same look, in a thread."""

    async def run() -> Sequence[CheckResult]:
        return await run_in_thread(work)

    return run


async def _run_safely(check: Check) -> Sequence[CheckResult]:
    try:
        return await check.run()
    except Exception as error:
        logger.debug("%s failed", check.name, exc_info=True)
        return [CheckResult(check.name, CheckState.UNKNOWN, f"could not be looked at: {type(error).__name__}: {error}")]
