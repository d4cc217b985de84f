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
    "button{min-height:56px;margin:26px 0 20px;padding:0 34px;border:0;border-radius:28px;color:#26160c;cursor:pointer;"
    "background:linear-gradient(#f4bb7a,#d98a4e);font:inherit;font-size:1.12rem;font-weight:600;"
    "box-shadow:0 1px 0 rgb(255 255 255/35%) inset,0 10px 30px rgb(0 0 0/35%)}"
    "button:hover{filter:brightness(1.06)}button:active{transform:translateY(1px)}"
    ":focus-visible{outline:3px solid #efad67;outline-offset:3px}"
)
_ARCH: Final = (
    '<svg viewBox="0 0 160 190" aria-hidden="true">'
    '<path d="M22 172V80a58 58 0 0 1 116 0v92z" fill="#2b1d18"/>'
    '<path d="M25 146c31-13 59-6 89 0 8 2 15 2 21 1v25H25z" fill="#1e1410"/>'
    '<circle cx="98" cy="80" r="9" fill="#cbb8a3"/><circle cx="102" cy="77" r="9" fill="#2b1d18"/>'
    '<path d="M22 172V80a58 58 0 0 1 116 0v92" fill="none" stroke="#cbb8a3" stroke-width="5"/>'
    '<path d="M8 175h144" stroke="#cbb8a3" stroke-width="6" stroke-linecap="round"/></svg>'
)
_LIT_ARCH: Final = (
    '<svg viewBox="0 0 160 190" aria-hidden="true"><defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">'
    '<stop offset="0" stop-color="#6b3f33"/><stop offset=".55" stop-color="#d98a4e"/>'
    '<stop offset="1" stop-color="#f6cf94"/></linearGradient></defs>'
    '<path d="M22 172V80a58 58 0 0 1 116 0v92z" fill="url(#sky)"/><circle cx="98" cy="104" r="15" fill="#fff0d8"/>'
    '<path d="M25 123c22-10 46-8 71 2 16 6 27 5 39-1v50H25z" fill="#9a5a3a"/>'
    '<path d="M25 144c31-11 59-6 89 0 8 2 15 2 21 1v29H25z" fill="#5d3526"/>'
    '<path d="M25 162c36-6 76-6 110-1v13H25z" fill="#38211a"/>'
    '<path d="M22 172V80a58 58 0 0 1 116 0v92" fill="none" stroke="#f3e3cf" stroke-opacity=".85" stroke-width="5"/>'
    '<path d="M8 175h144" stroke="#f3e3cf" stroke-opacity=".85" stroke-width="6" stroke-linecap="round"/></svg>'
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
PLAIN_PAGE_POLICY: Final = f"{_POLICY}; form-action 'none'"
BUTTON_PAGE_POLICY: Final = f"{_POLICY}; form-action 'self'"


class Words(msgspec.Struct, frozen=True):
    """What a page says in one language: a heading and some paragraphs, all of it text.

    `button` is the label of a button below the first paragraph that posts to the page's own address; the arch is then
    drawn with light in it.
    """

    title: str
    paragraphs: tuple[str, ...]
    button: str = ""


class PlainPage:
    """An HTML page in every language."""

    def __init__(self, words: Mapping[Language, Words]) -> None:
        self._html = {language: _html(language, words[language]) for language in Language}

    def html(self, language: Language) -> bytes:
        """The page in this language."""
        return self._html[language]


def _page(english: tuple[str, ...], chinese: tuple[str, ...], *, buttons: tuple[str, str] = ("", "")) -> PlainPage:
    """A page of a heading and some paragraphs in each language, and with the label of a button in each."""
    (title, *paragraphs), (chinese_title, *chinese_paragraphs) = english, chinese
    return PlainPage(
        {
            Language.ENGLISH: Words(title, tuple(paragraphs), buttons[0]),
            Language.CHINESE: Words(chinese_title, tuple(chinese_paragraphs), buttons[1]),
        }
    )


def _html(language: Language, words: Words) -> bytes:
    first, *more = [f"<p>{escape(paragraph)}</p>" for paragraph in words.paragraphs]
    form = f'<form method="post"><button>{escape(words.button)}</button></form>' if words.button else ""
    body = "".join((first, form, *more))
    arch = _LIT_ARCH if words.button else _ARCH
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="theme-color" content="#17110d">'
        f"<title>{escape(words.title)} - Belvedere</title><style>{_STYLE}</style></head>"
        f"<body><main>{arch}<h1>{escape(words.title)}</h1>{body}</main></body></html>"
    ).encode()


NO_SESSION: Final = _page(
    (
        "You need a link to come in",
        "This is a private home. Ask the owner for a link, then open it in this browser.",
        "If you are the owner: start Belvedere again, and it prints a new link.",
    ),
    (
        "需要一个链接才能进来",
        "这是私人住家。请向家里人要一个链接，再用这个浏览器打开。",
        "如果您是管理人：重新启动 Belvedere，它会给出新的链接。",
    ),
)
INVITATION: Final = _page(
    (
        "You are invited",
        "The view from home is one tap away.",
        "This link works once, in the browser that uses it first.",
    ),
    (
        "请您来看看家里",
        "轻轻一点，就能看到家里。",
        "这个链接只能用一次，谁先用就归谁的浏览器。",
    ),
    buttons=("Come in", "进去看看"),
)
LINK_USED: Final = _page(
    (
        "This link does not work any more",
        "This link has already been used or has expired. Ask the owner for a new one.",
        "If you are the owner: start Belvedere again, and it prints a new link.",
    ),
    (
        "这个链接不能用了",
        "这个链接已经用过，或者已经过期。请向家里人再要一个新的。",
        "如果您是管理人：重新启动 Belvedere，它会给出新的链接。",
    ),
)
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
