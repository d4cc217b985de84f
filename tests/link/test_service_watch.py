"""The watch by itself; `test_radio` tests what is lost when the Bluetooth service exits."""

from __future__ import annotations

import asyncio

from belvedere.link.service_watch import ServiceWatch


class Service:
    """A Bluetooth service that can exit, and be watched."""

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self.watched = 0
        self.error: Exception | None = None
        self.gone: list[str] = []
        self.watch = ServiceWatch(self._wait_until_gone, lambda: self.gone.append("gone"))

    async def _wait_until_gone(self) -> None:
        self.watched += 1
        if self.error is not None:
            raise self.error
        await self.exited.wait()


async def test_it_is_watched_once_however_many_links_there_are_and_again_after_it_has_exited() -> None:
    service = Service()
    for _ in range(3):
        service.watch.ensure()
        await asyncio.sleep(0)
    assert service.watched == 1
    service.exited.set()
    await asyncio.sleep(0.1)
    assert service.gone == ["gone"]
    service.watch.ensure()
    await asyncio.sleep(0.1)
    assert service.gone == ["gone", "gone"]


async def test_a_watch_that_fails_is_no_exit_and_is_begun_again_with_the_next_link() -> None:
    service = Service()
    service.error = ConnectionError("no D-Bus")
    service.watch.ensure()
    await asyncio.sleep(0.1)
    assert not service.gone
    service.error = None
    service.watch.ensure()
    await asyncio.sleep(0.1)
    assert service.watched == 2
    service.exited.set()
    await asyncio.sleep(0.1)
    assert service.gone == ["gone"]


async def test_nothing_is_watched_where_an_exit_cannot_be_detected() -> None:
    ServiceWatch(None, lambda: None).ensure()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
