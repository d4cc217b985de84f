"""Small pages in plain words, for when there is no page to show."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

_STYLE: Final = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto 0;padding:0 1.5rem;"
    "color:#222;background:#faf8f5}h1{font-size:1.5rem}code{font-size:1rem}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#1b1917}}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PLAIN_PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def plain_page(title: str, *paragraphs: str) -> bytes:
    """An HTML page of a heading and some paragraphs; all of it is text."""
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} - Belvedere</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    ).encode()


NO_SESSION: Final = plain_page(
    "You need a link to come in",
    "This is somebody's home. Ask the owner for a link, then open it in this browser.",
    "If you are the owner: start Belvedere again, and it prints a new link.",
)
LINK_USED: Final = plain_page(
    "This link does not work any more",
    "A link opens the door once, for the browser that opened it first. Ask the owner for a new one.",
    "If you are the owner: start Belvedere again, and it prints a new link.",
)
PAGE_NOT_BUILT: Final = plain_page(
    "The page is not built yet",
    "Belvedere runs, but the files of its page are missing. In the project's folder, run: make page",
    "Then load this again.",
)
NOT_FOUND: Final = plain_page("There is nothing here", "The address is wrong, or the page has moved.")
