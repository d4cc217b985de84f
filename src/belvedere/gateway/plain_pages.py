"""Small HTML pages for people, served where the page itself cannot be."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

# the look of the page's first screen, web/src/page/styles.css and arch.tsx, at night: the arch is dark
_STYLE: Final = (
    ":root{color-scheme:dark;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "*{box-sizing:border-box;margin:0}"
    "body{min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:24px;color:#f6ebdd;"
    "background:#17110d radial-gradient(90vmax 60vmax at 50% 36%,#3a271c 0%,#241a14 45%,#17110d 100%)}"
    "main{max-width:36ch;padding-bottom:6vh;text-align:center;text-wrap:balance}"
    "svg{width:min(30vw,18vh,150px);min-width:72px;height:auto}"
    "h1{margin:20px 0 12px;font:400 clamp(27px,7vmin,38px)/1.2 ui-serif,'Iowan Old Style','Palatino Linotype',"
    "Palatino,Georgia,'Times New Roman',serif}"
    "p{color:#cbb8a3}p+p{margin-top:12px}"
)
_ARCH: Final = (
    '<svg viewBox="0 0 160 190" aria-hidden="true">'
    '<path d="M22 172V80a58 58 0 0 1 116 0v92z" fill="#2b1d18"/>'
    '<path d="M25 146c31-13 59-6 89 0 8 2 15 2 21 1v25H25z" fill="#1e1410"/>'
    '<circle cx="98" cy="80" r="9" fill="#cbb8a3"/><circle cx="102" cy="77" r="9" fill="#2b1d18"/>'
    '<path d="M22 172V80a58 58 0 0 1 116 0v92" fill="none" stroke="#cbb8a3" stroke-width="5"/>'
    '<path d="M8 175h144" stroke="#cbb8a3" stroke-width="6" stroke-linecap="round"/></svg>'
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
PLAIN_PAGE_POLICY: Final = f"{_POLICY}; form-action 'none'"


def plain_page(title: str, *paragraphs: str) -> bytes:
    """An HTML page of a heading and some paragraphs; all of it is text."""
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="theme-color" content="#17110d">'
        f"<title>{escape(title)} - Belvedere</title><style>{_STYLE}</style></head>"
        f"<body><main>{_ARCH}<h1>{escape(title)}</h1>{body}</main></body></html>"
    ).encode()


PAGE_NOT_BUILT: Final = plain_page(
    "The page is not built yet",
    "Belvedere is running, but the files of its page are missing. In the project's folder, run: make page",
    "Then reload this page.",
)
UNKNOWN_HOST: Final = plain_page(
    "Belvedere is not set up for this address",
    "Ask the owner for a link, and open it unchanged.",
    "If you are the owner: add the host name to names under [server] in the configuration, then start Belvedere again.",
)
FOREIGN_ORIGIN: Final = plain_page(
    "This came from another page",
    "Open the link you were given directly, then try again.",
    "If you are the owner: a proxy in front of Belvedere must forward the Host header as the browser sent it.",
)
TRY_AGAIN: Final = plain_page(
    "Please try again in a moment",
    "Belvedere could not check who you are. Reload this page.",
    "If you are the owner: the log says which check failed.",
)
NOT_FOUND: Final = plain_page("There is nothing here", "The address is wrong, or the page has been moved.")
