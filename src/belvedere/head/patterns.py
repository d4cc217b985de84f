"""Whether two name patterns, shell-style, mean the same devices: exact for `*`, `?` and `[...]`."""

from __future__ import annotations

import fnmatch
import re
from collections import deque
from typing import NamedTuple

_PART = re.compile(r"\*|\?|\[!?+\]?+[^\]]*\]|.", re.DOTALL)


class _Part(NamedTuple):
    """Characters of which one stands here, or, for a star, any number."""

    characters: frozenset[str]
    is_star: bool


def confusing_name(one: str, other: str) -> str | None:
    """A name that both patterns match, as short as one of them asks for; None where there is none.

    Patterns with stars nearly always share some name (`*PAN*` and `*TILT*` share PANTILT), which no device may have.
    They mean the same devices only if that name needs no more than either of them says by itself, as with `*PONS*` and
    `*PONS*TILT*`.
    """
    shared = shared_name(one, other)
    if shared is None or len(shared) > max(shortest(one), shortest(other)):
        return None
    return shared


def shortest(pattern: str) -> int:
    """How many characters a name has at least that this pattern matches."""
    return sum(part != "*" for part in _PART.findall(pattern))


def shared_name(one: str, other: str) -> str | None:
    """The shortest name, in upper case, that both patterns match, upper and lower case alike; None without any."""
    alphabet = _alphabet(one.upper() + other.upper())
    ours, theirs = _parts(one.upper(), alphabet), _parts(other.upper(), alphabet)
    seen: set[tuple[int, int]] = set()
    ways = deque([(0, 0, "")])
    while ways:
        at, there, name = ways.popleft()
        if (at, there) in seen:
            continue
        seen.add((at, there))
        if (at, there) == (len(ours), len(theirs)):
            return name
        mine = ours[at] if at < len(ours) else None
        theirs_now = theirs[there] if there < len(theirs) else None
        if mine is not None and mine.is_star:
            ways.appendleft((at + 1, there, name))
        if theirs_now is not None and theirs_now.is_star:
            ways.appendleft((at, there + 1, name))
        if mine is not None and theirs_now is not None and (common := mine.characters & theirs_now.characters):
            step = min(common, key=lambda character: (not character.isalnum(), character))
            ways.append((at + (not mine.is_star), there + (not theirs_now.is_star), name + step))
    return None


def _alphabet(text: str) -> frozenset[str]:
    """Every character that matters to these patterns: those in them, those beside the ends of ranges, and others."""
    near = {chr(ord(character) + by) for character in text for by in (-1, 0, 1) if 0 < ord(character) < 0x10FFFF}  # noqa: PLR2004 - the last character there is
    return frozenset(character for character in {*near, "A", "0", "\uffff"} if character.upper() == character)


def _parts(pattern: str, alphabet: frozenset[str]) -> list[_Part]:
    return [
        _Part(
            frozenset(filter(re.compile(fnmatch.translate("?" if part == "*" else part)).match, alphabet)),
            part == "*",
        )
        for part in _PART.findall(pattern)
    ]
