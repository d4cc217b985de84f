"""A link's QR code is an SVG document that loads nothing, or text for a terminal."""

import xml.etree.ElementTree as ET

from belvedere.gateway.qr_code import svg_of, terminal_text_of

LINK = "https://home.example.org/join#" + "A" * 43


def test_the_svg_is_whole_scales_and_refers_to_nothing() -> None:
    svg = svg_of(LINK)
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert "width" not in root.attrib
    assert "href" not in svg
    assert "script" not in svg


def test_other_links_have_other_codes() -> None:
    assert svg_of(LINK) != svg_of(LINK[:-1] + "B")


def test_a_terminal_gets_square_lines() -> None:
    lines = terminal_text_of(LINK).splitlines()
    assert 15 <= len(lines) <= 30
    assert len({len(line) for line in lines if "\x1b" not in line}) <= 1
