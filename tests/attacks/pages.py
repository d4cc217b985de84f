"""Attacks by the page of another site, which the settings list, in a session that does not drive."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.attacks.client import Reply, Session
    from tests.attacks.target import Target

CREATED = 201
AT_ONCE = 4
ASKED_PER_S = 40.0  # by each of those: far above what a person may ask for


async def ticket_flood(target: Target) -> None:
    """Tickets without end, and with each that is given two sockets, of which the second must be refused."""

    async def ask() -> Reply | None:
        return await _ask(target, target.page, "/api/v1/tickets")

    async def use() -> None:
        reply = await ask()
        if reply is not None and reply.status == CREATED:
            ticket = json.loads(reply.body)["ticket"]
            target.did[f"sockets {[await _is_let_in(target.page, ticket) for _ in range(2)]}"] += 1

    await _without_end(target, use, ask, ask, ask)


async def bearer_renewals(target: Target) -> None:
    """Renewals of the newest bearer without end, and of one that never was."""
    unknown = target.page._replace(bearer="bf_" + "x" * 43)

    async def once() -> None:
        await _ask(target, unknown, "/api/v1/bearers")
        reply = await _ask(target, target.page, "/api/v1/bearers")
        if reply is not None and reply.status == CREATED:
            target.page = target.page._replace(bearer=json.loads(reply.body)["bearer"])

    await _without_end(target, *[once] * AT_ONCE)


async def _ask(target: Target, page: Session, path: str) -> Reply | None:
    """The reply, which is counted by its status; None where the connection was refused."""
    try:
        reply = await page.ask("POST", path)
    except OSError:
        target.did_one("refused connections")
        return None
    target.did_one(f"status {reply.status}")
    return reply


async def _is_let_in(page: Session, ticket: str) -> bool:
    """Whether a control socket is opened with this ticket."""
    with contextlib.suppress(OSError, WebSocketException, TimeoutError):
        async with connect(
            page.address.replace("http", "ws") + "/api/v1/control",
            subprotocols=["belvedere.v1", f"belvedere.ticket.{ticket}"],  # type: ignore[list-item]  # a NewType of str
            origin=page.origin,  # type: ignore[arg-type]  # likewise
            compression=None,
            close_timeout=0.5,
        ):
            return True
    return False


async def _without_end(target: Target, *each: Callable[[], Awaitable[object]]) -> None:
    await asyncio.gather(*(target.at_rate(ASKED_PER_S, do) for do in each))


ATTACKS = (
    ticket_flood,
    bearer_renewals,
)
