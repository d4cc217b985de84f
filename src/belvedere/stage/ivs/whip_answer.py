"""Reduces a WHIP server's SDP answer to what sending to it needs, within bounds. Pure.

Servers that bundle, such as IVS, name their addresses in the first media section only, while aiortc looks for them in
each.
"""

from __future__ import annotations

import ipaddress
import re

from belvedere.stage.ivs.whip_client import WhipError

MAX_LINES = 150  # an answer has about 40; aiortc reads it on the event loop, in a time that grows with their product
MAX_LINE_CHARS = 500
MAX_SECTIONS = 2  # we offer one
MAX_FORMATS = 16  # of a section; we offer two
MAX_CANDIDATES = 8  # each is checked with each of our addresses
CANDIDATE = re.compile(r"a=candidate:\S{1,64} 1 (?P<transport>\w+) \d{1,10} (?P<host>\S+) \d{1,5} typ \w+.*")
END = "a=end-of-candidates"


def read_whip_answer(text: str) -> str:
    """The answer with the same addresses in each section: the first few by UDP, and no names to be looked up.

    Raises WhipError if it is no answer, or has no address.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith("v=0"):
        raise WhipError("the answer is not SDP")
    if len(lines) > MAX_LINES or max(map(len, lines)) > MAX_LINE_CHARS:
        raise WhipError(f"the answer has more than {MAX_LINES} lines, or one of more than {MAX_LINE_CHARS} letters")
    sections = [line for line in lines if line.startswith("m=")]
    if len(sections) > MAX_SECTIONS or any(len(line.split()) > 3 + MAX_FORMATS for line in sections):
        raise WhipError(f"the answer has more than {MAX_SECTIONS} sections, or one of more than {MAX_FORMATS} formats")
    if not any(line.startswith("m=video ") and not line.startswith("m=video 0 ") for line in lines):
        raise WhipError("the answer takes no video")
    candidates = list(dict.fromkeys(line for line in lines if _is_reachable(line)))[:MAX_CANDIDATES]
    if not candidates:
        raise WhipError("the answer has no address")
    reduced: list[str] = []
    for line in [line for line in lines if not line.startswith(("a=candidate:", END))]:
        if line.startswith("m=") and any(before.startswith("m=") for before in reduced):
            reduced += [*candidates, END]
        reduced.append(line)
    return "\r\n".join([*reduced, *candidates, END]) + "\r\n"


def _is_reachable(line: str) -> bool:
    found = CANDIDATE.fullmatch(line)
    if found is None or found["transport"].lower() != "udp":
        return False
    try:
        ipaddress.ip_address(found["host"])
    except ValueError:
        return False
    return True
