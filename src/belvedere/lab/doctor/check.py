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


class State(enum.StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One line of the report: what was looked at, how it stands, what that means, and what mends it."""

    name: str
    state: State
    says: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at, and how long that may take."""

    name: str
    look: Callable[[], Awaitable[Sequence[Finding]]]
    limit_s: float = QUICK_S


async def examine(
    checks: Iterable[Check], on_found: Callable[[Finding], None] = lambda _finding: None
) -> list[Finding]:
    """All findings, in the order of the checks, which run at the same time; `on_found` is told each at once.

    A check that takes too long or fails is a finding too.
    """
    calls = Calls()

    async def look(check: Check) -> list[Finding]:
        try:
            found = list(await outcome(calls.begin(_looked(check)), check.limit_s))
        except LinkError as error:
            if error.reason is not LinkReason.UNANSWERED:
                raise
            found = [Finding(check.name, State.UNKNOWN, f"no answer within {check.limit_s:g} s")]
        for finding in found:
            on_found(finding)
        return found

    found = await asyncio.gather(*(look(check) for check in checks))
    return [finding for findings in found for finding in findings]


def worst(findings: Iterable[Finding]) -> State:
    """How it stands with all of it together."""
    order = (State.BAD, State.WARNING, State.UNKNOWN)
    states = {finding.state for finding in findings}
    return next((state for state in order if state in states), State.OK)


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` returns or raises, in a thread that nobody waits for when it hangs in the kernel."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
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
            loop.call_soon_threadsafe(tell, result, failure)
        except RuntimeError:  # the loop has ended; nobody wants to know any more
            logger.debug("a check ended after the doctor had gone")

    threading.Thread(target=run, daemon=True, name="check").start()
    return await done


def threaded(work: Callable[[], Sequence[Finding]]) -> Callable[[], Awaitable[Sequence[Finding]]]:
    """The same look, in a thread."""

    async def look() -> Sequence[Finding]:
        return await in_thread(work)

    return look


async def _looked(check: Check) -> Sequence[Finding]:
    try:
        return await check.look()
    except Exception as error:
        logger.debug("%s failed", check.name, exc_info=True)
        return [Finding(check.name, State.UNKNOWN, f"could not be looked at: {type(error).__name__}: {error}")]
