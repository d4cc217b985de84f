"""Names the browser and the system of a `User-Agent` header, so that people recognise their devices in a list. Pure.

Only known names come out of it: a header is written by whoever sends it.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CHARS: Final = 512  # of a header that are looked at
UNKNOWN: Final = "Unknown device"

# The first that is found counts: browsers also name those that they are compatible with.
BROWSERS: Final = (
    ("EdgA?|EdgiOS", "Edge"),
    ("OPR|OPT", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("MicroMessenger", "WeChat"),
    ("Firefox|FxiOS", "Firefox"),
    ("CriOS|Chrome|Chromium", "Chrome"),
    ("Safari", "Safari"),
    ("curl|python-httpx|python-requests|Wget", "a script"),
)
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh|Mac OS X", "Mac"),
    ("Linux|X11", "Linux"),
)


def label_of(user_agent: str) -> str:
    """Such as "Firefox on Android"; what is not known is left out."""
    text = user_agent[:MAX_CHARS]
    browser = next((name for pattern, name in BROWSERS if re.search(rf"\b({pattern})\b", text)), "")
    system = next((name for pattern, name in SYSTEMS if re.search(rf"\b({pattern})\b", text)), "")
    return " on ".join(filter(None, (browser, system))) or UNKNOWN
