"""Coroutine tests run in virtual time, unless marked `realtime`."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect

import pytest

from belvedere.testing.clock import AutojumpLoop

if importlib.util.find_spec("hypothesis") is not None:  # the machines of `make test-bluez` have none, and need none
    from hypothesis import settings

    # An example on a busy machine may take any time, and other tests run beside this one.
    settings.register_profile("any time", settings(), deadline=None)
    settings.load_profile("any time")

CHOOSING = ("realtime", "browser", "alone")  # markers by which `tests.parallel` chooses test modules
TURNS_TO_END = 100  # of the loop; a task that was cancelled has long ended by then


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test whose module does not name its markers: it would run in no part of `make test`."""
    named = functools.cache(lambda path: path.read_text(encoding="utf-8"))
    for item in items:
        for marker in CHOOSING:
            if item.get_closest_marker(marker) is not None and f"mark.{marker}" not in named(item.path):
                raise pytest.UsageError(f"{item.nodeid} is marked {marker}, and its module does not say so")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test to its end; a task that it leaves behind is a failure."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    factory = asyncio.new_event_loop if pyfuncitem.get_closest_marker("realtime") else AutojumpLoop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_run_and_count(pyfuncitem.obj(**arguments)))
    return True


async def _run_and_count(test: object) -> None:
    assert inspect.isawaitable(test)
    await test
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for _ in range(TURNS_TO_END):
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks left behind: {left}"
