"""Small HTML pages for people, in their language, served where the page itself cannot be."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.gateway.languages import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class Words(msgspec.Struct, frozen=True):
    """What a page says in one language: a heading and some paragraphs, all of it text."""

    title: str
    paragraphs: tuple[str, ...]


class PlainPage:
    """An HTML page in every language."""

    def __init__(self, words: Mapping[Language, Words]) -> None:
        self._html = {language: _html(language, words[language]) for language in Language}

    def html(self, language: Language) -> bytes:
        """The page in this language."""
        return self._html[language]


def _page(english: tuple[str, ...], chinese: tuple[str, ...]) -> PlainPage:
    """A page of a heading and some paragraphs in each language."""
    (title, *paragraphs), (chinese_title, *chinese_paragraphs) = english, chinese
    return PlainPage(
        {
            Language.ENGLISH: Words(title, tuple(paragraphs)),
            Language.CHINESE: Words(chinese_title, tuple(chinese_paragraphs)),
        }
    )


def _html(language: Language, words: Words) -> bytes:
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in words.paragraphs)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="theme-color" content="#17110d">'
        f"<title>{escape(words.title)} - Belvedere</title><style>{_STYLE}</style></head>"
        f"<body><main>{_ARCH}<h1>{escape(words.title)}</h1>{body}</main></body></html>"
    ).encode()


PAGE_NOT_BUILT: Final = _page(
    (
        "The page is not built yet",
        "Belvedere is running, but the files of its page are missing. In the project's folder, run: make page",
        "Then reload this page.",
    ),
    (
        "网页还没有生成",
        "Belvedere 已经在运行，但是缺少网页的文件。请在项目的文件夹里运行：make page",
        "然后重新打开本页。",
    ),
)
UNKNOWN_HOST: Final = _page(
    (
        "Belvedere is not set up for this address",
        "Ask the owner for a link, and open it unchanged.",
        "If you are the owner: add the host name to names under [server] in the configuration, then start it again.",
    ),
    (
        "这个网址还没有设置好",
        "请向家里人要一个链接，照原样打开。",
        "如果您是管理人：请把这个域名加到配置文件 [server] 下面的 names 里，再重新启动 Belvedere。",
    ),
)
FOREIGN_ORIGIN: Final = _page(
    (
        "This came from another page",
        "Open the link you were given directly, then try again.",
        "If you are the owner: a proxy in front of Belvedere must forward the Host header as the browser sent it.",
    ),
    (
        "这是从别的网页来的",
        "请直接打开家里人给您的链接，再试一次。",
        "如果您是管理人：Belvedere 前面的代理要原样转发浏览器的 Host 头。",
    ),
)
NOT_LISTED: Final = _page(
    (
        "You are not on the list yet",
        "You have logged in, but nobody in this house has invited your e-mail address. Ask them, then load this again.",
        "If you are the owner: belvedere people invite takes an e-mail address.",
    ),
    (
        "您还不在名单上",
        "您已经登录，但是家里还没有邀请您的电子邮箱。请家里人邀请您，然后重新打开本页。",
        "如果您是管理人：belvedere people invite 可以填写电子邮箱。",
    ),
)
TRY_AGAIN: Final = _page(
    (
        "Please try again in a moment",
        "Belvedere could not check who you are. Reload this page.",
        "If you are the owner: the log says which check failed.",
    ),
    (
        "请过一会儿再试",
        "刚才没能确认您是谁。请重新打开本页。",
        "如果您是管理人：日志里写着哪一步没有成功。",
    ),
)
NOT_FOUND: Final = _page(
    ("There is nothing here", "The address is wrong, or the page has been moved."),
    ("这里什么也没有", "网址不对，或者网页已经搬走了。"),
)
