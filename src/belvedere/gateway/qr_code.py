"""QR codes of links, for a phone that is held before a screen: as an SVG document, and for a terminal."""

from __future__ import annotations

import io
from typing import Final

QUIET: Final = 2  # modules around it; the standard wants four, on a light page two are read, too


def svg_of(link: str) -> str:
    """The QR code of a link as a whole SVG document, dark on light whatever is around it."""
    svg = io.BytesIO()
    import segno  # noqa: PLC0415 - needed only where somebody is invited

    code = segno.make(link, error="m", micro=False)
    code.save(svg, kind="svg", border=QUIET, light="#fff", xmldecl=False, omitsize=True, nl=False)
    return svg.getvalue().decode()


def terminal_text_of(link: str) -> str:
    """The QR code of a link in half blocks, for a terminal; it is inverted where the terminal is light."""
    text = io.StringIO()
    import segno  # noqa: PLC0415 - likewise

    segno.make(link, error="l", micro=False).terminal(text, border=QUIET, compact=True)
    return text.getvalue()
