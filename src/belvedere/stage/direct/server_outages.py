"""Which STUN and TURN servers do not answer, so that viewers do not wait for them one after the other."""

from __future__ import annotations

import logging

RETRY_S = 60.0

logger = logging.getLogger(__name__)


class ServerOutages:
    """Servers by their URL; each failure and recovery is logged once."""

    def __init__(self) -> None:
        self._retry_at: dict[str, float] = {}

    def may_ask(self, url: str, now: float) -> bool:
        """Whether to ask this server: not within `RETRY_S` after it failed."""
        return now >= self._retry_at.get(url, now)

    def receive_failure(self, url: str, why: str, now: float) -> None:
        """A server failed. `why` is for the log."""
        is_known = url in self._retry_at
        self._retry_at[url] = now + RETRY_S
        text = "%s gives no address for the picture: %s; viewers are connected without it"
        logger.log(logging.DEBUG if is_known else logging.WARNING, text, url, why)

    def receive_success(self, url: str) -> None:
        """A server answered."""
        if self._retry_at.pop(url, None) is not None:
            logger.info("%s works again", url)
