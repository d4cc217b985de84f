"""Keeps the keys of a login provider: fetches them in the background, and keeps the old ones while that fails."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from belvedere.timeouts import timeout, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    Keys = Mapping[str, RSAPublicKey]

RENEW_S: Final = 3600.0  # Cloudflare publishes a new key long before it signs with it
STALE_S: Final = 7 * 86400.0  # after which keys that could not be renewed count no more; as long as an old key is valid
FIRST_RETRY_S: Final = 5.0  # after a failure; doubled by each further one
MAX_RETRY_S: Final = 300.0
UNKNOWN_EVERY_S: Final = 60.0  # how often key ids that are not known cause a fetch, whoever invents them
WAIT_S: Final = 3.0  # for keys that are being fetched; less than an authenticator may take
GIVE_UP_S: Final = 60.0  # for a fetch that does not return, such as one that hangs while looking the name up
MAX_HANGING: Final = 3  # threads

logger = logging.getLogger(__name__)


class KeysUnavailableError(Exception):
    """There are no keys: none could be fetched since the start, or for too long."""


def start_thread(run: Callable[[], None]) -> None:
    """Run a function in a thread that never delays the program's end."""
    threading.Thread(target=run, name="signing keys", daemon=True).start()


class SigningKeys:
    """The newest keys by their ids.

    Args:
        request: returns the keys; may block, and raise anything.
        clock: seconds, monotonic.
        start: runs a function in a thread.
    """

    def __init__(
        self,
        request: Callable[[], Keys],
        clock: Callable[[], float],
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._request = request
        self._clock = clock
        self._start = start
        self._keys: Keys = {}
        self._fetched_at = self._asked_at = -math.inf
        self._failures = 0
        self._hanging = 0
        self._wanted = asyncio.Event()
        self._waiting: set[asyncio.Future[None]] = set()

    async def run(self) -> None:
        """Fetch the keys now, and again before they are stale, until cancelled."""
        while True:
            self._wanted.clear()
            await self._fetch()
            retry_s = min(FIRST_RETRY_S * 2 ** min(self._failures - 1, 16), MAX_RETRY_S)
            await wait_until(self._wanted, self._clock() + (retry_s if self._failures else RENEW_S), self._clock)

    async def find(self, key_id: str) -> RSAPublicKey | None:
        """The key with this id; None where there is none. Raises KeysUnavailableError where there are no keys at all.

        An id that is not known may be that of a new key, so the keys are fetched anew, at most every UNKNOWN_EVERY_S,
        and waited for, at most WAIT_S. In between such an id is refused at once.
        """
        key = self._fresh().get(key_id)
        if key is not None:
            return key
        now = self._clock()
        if now - self._asked_at >= UNKNOWN_EVERY_S:
            self._asked_at = now
            self._wanted.set()
            await self._wait()
        keys = self._fresh()
        if not keys:
            raise KeysUnavailableError("the keys of the login provider are not known")
        return keys.get(key_id)

    def _fresh(self) -> Keys:
        return self._keys if self._clock() - self._fetched_at < STALE_S else {}

    async def _wait(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            with suppress(TimeoutError):
                async with timeout(WAIT_S):
                    await waiting
        finally:
            self._waiting.discard(waiting)

    async def _fetch(self) -> None:
        if self._hanging >= MAX_HANGING:
            self._receive_failure("earlier attempts hang")
            return
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Keys] = loop.create_future()
        self._start(lambda: self._call(loop, answer))
        self._hanging += 1
        try:
            async with timeout(GIVE_UP_S):
                keys = await asyncio.shield(answer)
        except TimeoutError:
            answer.add_done_callback(_retrieve)
            self._receive_failure(f"no answer within {GIVE_UP_S:g} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and the request repeated
            self._receive_failure(str(error) or type(error).__name__)
        else:
            self._receive_keys(keys)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def _call(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Keys]) -> None:
        """In a thread."""
        keys: Keys | None = None
        failure: BaseException | None = None
        try:
            keys = self._request()
        except Exception as raised:  # noqa: BLE001 - likewise
            failure = raised
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(self._receive_returned, answer, keys, failure)

    def _receive_returned(self, answer: asyncio.Future[Keys], keys: Keys | None, failure: BaseException | None) -> None:
        self._hanging -= 1
        if answer.done():
            return
        if keys is not None:
            answer.set_result(keys)
        elif failure is not None:
            answer.set_exception(failure)

    def _receive_keys(self, keys: Keys) -> None:
        if self._failures or not self._keys:
            logger.info("fetched %d keys of the login provider", len(keys))
        self._failures = 0
        self._keys, self._fetched_at = keys, self._clock()

    def _receive_failure(self, why: str) -> None:
        level = logging.DEBUG if self._failures else logging.WARNING
        left_s = self._fetched_at + STALE_S - self._clock()
        meanwhile = f"the known ones count for {left_s / 3600:.0f} h more" if left_s > 0 else "nobody can come in"
        logger.log(level, "could not fetch the keys of the login provider: %s; until then %s", why, meanwhile)
        self._failures += 1


def _retrieve(answer: asyncio.Future[Keys]) -> None:
    """Look at a late failure, so that asyncio does not log it as forgotten."""
    if not answer.cancelled():
        answer.exception()
