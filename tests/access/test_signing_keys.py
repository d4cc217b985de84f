"""Keys are fetched in the background, renewed in time, kept while that fails, and not fetched for forged ids."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.support.access_tokens import key_set, private_key, published

from belvedere.access.jwks import KeySetError, read_keys
from belvedere.access.signing_keys import (
    GIVE_UP_S,
    MAX_HANGING,
    MAX_RETRY_S,
    RENEW_S,
    STALE_S,
    UNKNOWN_EVERY_S,
    WAIT_S,
    KeysUnavailableError,
    SigningKeys,
    start_thread,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

FIRST = read_keys(key_set(published("first", private_key())))
BOTH = read_keys(key_set(published("first", private_key()), published("second", private_key(1))))


class Provider:
    """Publishes `keys`, or fails where there are none; while `hangs`, its answers wait in `held`."""

    def __init__(self) -> None:
        self.keys: dict[str, RSAPublicKey] | None = FIRST
        self.asked = 0
        self.hangs = False
        self.held: list[Callable[[], None]] = []

    def request(self) -> dict[str, RSAPublicKey]:
        if self.keys is None:
            raise KeySetError("HTTP status 500")
        return self.keys

    def start(self, run: Callable[[], None]) -> None:
        self.asked += 1
        if self.hangs:
            self.held.append(run)
        else:
            run()


@asynccontextmanager
async def running(provider: Provider) -> AsyncIterator[SigningKeys]:
    keys = SigningKeys(provider.request, asyncio.get_running_loop().time, provider.start)
    task = asyncio.create_task(keys.run())
    await asyncio.sleep(0.01)
    try:
        yield keys
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_keys_are_fetched_at_the_start_and_renewed() -> None:
    provider = Provider()
    async with running(provider) as keys:
        assert await keys.find("first") is FIRST["first"]
        provider.keys = BOTH
        await asyncio.sleep(RENEW_S)
        assert await keys.find("second") is BOTH["second"]
        assert provider.asked == 2


async def test_a_key_that_is_published_no_more_counts_no_more() -> None:
    provider = Provider()
    async with running(provider) as keys:
        provider.keys = read_keys(key_set(published("second", private_key(1))))
        await asyncio.sleep(RENEW_S)
        assert await keys.find("first") is None


async def test_a_new_key_is_found_at_its_first_use() -> None:
    provider = Provider()
    async with running(provider) as keys:
        provider.keys = BOTH
        assert await keys.find("second") is BOTH["second"]


async def test_forged_ids_cause_at_most_one_fetch_a_minute_and_are_refused_at_once() -> None:
    provider = Provider()
    loop = asyncio.get_running_loop()
    async with running(provider) as keys:
        for minute in range(1, 4):
            began = loop.time()
            for number in range(1000):
                assert await keys.find(f"forged {number}") is None
            assert provider.asked == 1 + minute
            assert loop.time() - began < 1
            await asyncio.sleep(UNKNOWN_EVERY_S)


async def test_the_old_keys_count_for_a_long_time_while_new_ones_cannot_be_fetched(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = Provider()
    async with running(provider) as keys:
        provider.keys = None
        await asyncio.sleep(STALE_S - 1)
        assert await keys.find("first") is FIRST["first"]
        assert provider.asked < 10 + STALE_S / MAX_RETRY_S
        assert len(caplog.records) == 1 + 1  # the first fetch, and the first of the failures
        assert "HTTP status 500" in caplog.text
        await asyncio.sleep(2)
        with pytest.raises(KeysUnavailableError):
            await keys.find("first")
        provider.keys = FIRST
        await asyncio.sleep(MAX_RETRY_S)
        assert await keys.find("first") is FIRST["first"]


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


async def test_without_network_at_the_start_nobody_comes_in_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = Provider()
    provider.keys = None
    async with running(provider) as keys:
        with pytest.raises(KeysUnavailableError):
            await keys.find("first")
        assert "nobody can come in" in caplog.text
        provider.keys = FIRST
        await asyncio.sleep(UNKNOWN_EVERY_S)
        assert await keys.find("first") is FIRST["first"]


async def test_keys_that_are_on_their_way_are_waited_for_but_not_for_long() -> None:
    provider = Provider()
    provider.hangs = True
    loop = asyncio.get_running_loop()
    async with running(provider) as keys:
        finding = asyncio.create_task(keys.find("first"))
        await asyncio.sleep(1)
        provider.held.pop()()
        assert await finding is FIRST["first"]
    provider = Provider()
    provider.hangs = True
    async with running(provider) as keys:
        began = loop.time()
        with pytest.raises(KeysUnavailableError):
            await keys.find("first")
        assert loop.time() - began == pytest.approx(WAIT_S)


async def test_fetches_that_hang_are_given_up_and_only_a_few_may_hang() -> None:
    provider = Provider()
    provider.hangs = True
    async with running(provider) as keys:
        await asyncio.sleep(MAX_HANGING * (GIVE_UP_S + MAX_RETRY_S) * 2)
        assert provider.asked == MAX_HANGING
        provider.hangs = False
        provider.held.pop()()  # it returns at last, too late to count
        await asyncio.sleep(MAX_RETRY_S + 1)
        assert provider.asked == MAX_HANGING + 1
        assert await keys.find("first") is FIRST["first"]
        provider.keys = None
        provider.held.pop()()  # and one fails, too late to matter
        await asyncio.sleep(1)
        assert await keys.find("first") is FIRST["first"]


@pytest.mark.realtime
async def test_a_fetch_runs_in_a_thread_and_does_not_hold_the_loop() -> None:
    provider = Provider()
    keys = SigningKeys(provider.request, asyncio.get_running_loop().time, start_thread)
    task = asyncio.create_task(keys.run())
    assert await keys.find("first") is FIRST["first"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
