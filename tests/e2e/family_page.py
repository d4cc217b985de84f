"""A family's own page, of another site than the house: plain HTML that embeds `<belvedere-view>`."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = '<script type="module" src="{house}/embed.js"></script>'
VIEW = '<belvedere-view house="{house}" style="height: 72vh"></belvedere-view>'
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Our family</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html { font-size: 62.5% } body { margin: 2rem; font: 1.6rem/1.5 serif; background: #f4efe6 }
button { background: red; border-radius: 0 } main { display: none }</style>
<h1>Our family</h1><p><label>A word to all: <input name="word"></label></p>"""


def family_page(houses: list[str]) -> str:
    """The page with a view of each house. Its own styles would spoil the view, if they reached into it."""
    return PAGE + "".join(SCRIPT.format(house=house) + VIEW.format(house=house) for house in houses)


class FamilySite(http.server.BaseHTTPRequestHandler):
    """Serves the page; its address names the houses: `/?house=http://…`."""

    def do_GET(self) -> None:
        """Send the page."""
        houses = parse_qs(urlsplit(self.path).query).get("house", [])
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(family_page(houses).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def family_site() -> Iterator[str]:
    """The origin of a running family site: of another site than 127.0.0.1, and of the same as localhost."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FamilySite) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.05), daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
