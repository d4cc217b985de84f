"""Runs independent checks concurrently, each with its own time limit: one that hangs delays no other's result."""

from __future__ import annotations

import asyncio
import enum
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from belvedere.errors import LinkError, LinkReason
from belvedere.link.pending_calls import PendingCalls, outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

T = TypeVar("T")

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S = 5.0  # reading files under /sys and /proc takes milliseconds


class CheckState(enum.StrEnum):
    """The outcome of one check; UNKNOWN where it could not be made."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


class CheckResult(msgspec.Struct, frozen=True):
    """One line of the report: what was checked, the outcome, what was found, and how to fix it (or "")."""

    name: str
    state: CheckState
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A check with its time limit; `run` may give several results."""

    name: str
    run: Callable[[], Awaitable[Sequence[CheckResult]]]
    timeout_s: float = DEFAULT_TIMEOUT_S


async def run_checks(
    checks: Iterable[Check], on_result: Callable[[CheckResult], None] = lambda _result: None
) -> list[CheckResult]:
    """All results, in the order of the checks, which run concurrently; `on_result` gets each as soon as it is there.

    A check that takes too long or raises gives a result too: UNKNOWN.
    """
    calls = PendingCalls()

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
    """The worst state among the results: error, then warning, then unknown."""
    order = (CheckState.ERROR, CheckState.WARNING, CheckState.UNKNOWN)
    states = {result.state for result in results}
    return next((state for state in order if state in states), CheckState.OK)


async def run_in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread: where it hangs in a system call, neither the loop nor the exit waits for it."""
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
        except Exception as error:  # noqa: BLE001 - raised again in the coroutine that waits
            failure = error
        try:
            loop.call_soon_threadsafe(set_result, result, failure)
        except RuntimeError:  # the loop is closed: the check outlasted the command
            logger.debug("a check's thread ended after the event loop was closed; its result is dropped")

    threading.Thread(target=run, daemon=True, name="check").start()
    return await done


def in_worker_thread(work: Callable[[], Sequence[CheckResult]]) -> Callable[[], Awaitable[Sequence[CheckResult]]]:
    """The blocking check as a coroutine function that runs it in a thread."""

    async def run() -> Sequence[CheckResult]:
        return await run_in_thread(work)

    return run


async def _run_safely(check: Check) -> Sequence[CheckResult]:
    try:
        return await check.run()
    except Exception as error:
        logger.debug("check %s failed", check.name, exc_info=True)
        return [CheckResult(check.name, CheckState.UNKNOWN, f"the check failed: {type(error).__name__}: {error}")]
