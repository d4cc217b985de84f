"""A device is named by what is known of its browser and system; nothing of a header is repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.gateway.device_label import BROWSERS, SYSTEMS, UNKNOWN, label_of

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (f"{IPHONE} (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{IPHONE} (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox on Android"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) {CHROME} Safari/537.36", "Chrome on Mac"),
        ("curl/8.5.0", "a script"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
        ("", UNKNOWN),
        ("<script>alert(1)</script>", UNKNOWN),
    ],
)
def test_a_device_is_named(user_agent: str, label: str) -> None:
    assert label_of(user_agent) == label


@given(st.text())
def test_only_known_names_come_out(user_agent: str) -> None:
    names = {name for _, name in (*BROWSERS, *SYSTEMS)}
    assert label_of(user_agent) == UNKNOWN or set(label_of(user_agent).split(" on ")) <= names
