"""What every client of an attacked server does: redeem a link, and send HTTP requests."""

from __future__ import annotations

import asyncio
import json
import re
from typing import NamedTuple
from urllib.parse import urlsplit

REDEEM_TIMEOUT_S = 10.0
LISTED_PAGE = "https://family.example"  # the origin of a page of another site, which the settings list


class Reply(NamedTuple):
    """An HTTP response; names of headers are lower case."""

    status: int
    headers: dict[str, str]
    body: str


class Session(NamedTuple):
    """A session of an attacked server, with a cookie or, on the page of another site, a bearer; else a stranger."""

    address: str
    cookie: str
    bearer: str = ""

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.address).netloc

    @property
    def port(self) -> int:
        """The port."""
        return urlsplit(self.address).port or 80

    @property
    def origin(self) -> str:
        """The origin of its page."""
        return LISTED_PAGE if self.bearer else self.address

    async def ask(
        self, method: str, path: str, body: str = "", content_type: str = "text/plain", *, token: str = ""
    ) -> Reply:
        """Send one request, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Origin: {self.origin}", "Connection: close"]
        token = token or self.bearer
        if token:
            head.append(f"Authorization: Bearer {token}")
        if self.cookie and not token:
            head.append(f"Cookie: {self.cookie}")
        if method in {"POST", "PUT"}:
            head += [f"Content-Length: {len(body)}", f"Content-Type: {content_type}"]
        try:
            writer.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())
            return _reply((await reader.read()).decode())
        finally:
            writer.close()


async def redeem_link(link: str) -> Session:
    """Redeem a one-time link as the page does."""
    address, _, token = link.partition("/join#")
    anonymous = Session(address, "")
    async with asyncio.timeout(REDEEM_TIMEOUT_S):
        reply = await anonymous.ask(
            "POST", "/api/v1/login/invitation", json.dumps({"secret": token}), "application/json"
        )
    assert "set-cookie" in reply.headers, f"no session was started: {reply}"
    return Session(address, reply.headers["set-cookie"].partition(";")[0])


async def redeem_on_listed_page(link: str) -> Session:
    """Redeem a one-time link as a page of another site does, which the settings list."""
    address, _, token = link.partition("/join#")
    page = Session(address, "", "none yet")
    body = json.dumps({"secret": token})
    async with asyncio.timeout(REDEEM_TIMEOUT_S):
        reply = await page.ask("POST", "/api/v1/login/invitation", body, "application/json")
    return page._replace(bearer=json.loads(reply.body)["bearer"]["bearer"])


def _reply(text: str) -> Reply:
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    found = re.match(r"HTTP/1\.1 (\d+)", first)
    if found is None:
        raise ConnectionError(f"no answer: {text[:80]!r}")
    pairs = (line.partition(":") for line in lines)
    return Reply(int(found[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)
