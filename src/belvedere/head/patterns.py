"""Decides whether two shell-style name patterns mean the same devices; exact for `*`, `?` and `[...]`."""

from __future__ import annotations

import fnmatch
import re
from collections import deque
from typing import NamedTuple

_PART = re.compile(r"\*|\?|\[!?+\]?+[^\]]*\]|.", re.DOTALL)


class _Part(NamedTuple):
    """A part of a pattern: one of these characters, or any number of them for a star."""

    characters: frozenset[str]
    is_star: bool


def confusing_name(one: str, other: str) -> str | None:
    """A name that both patterns match, if one of them alone requires as many characters; otherwise None.

    Patterns with stars nearly always share some name (`*PAN*` and `*TILT*` share PANTILT), but probably no device has
    it. The patterns are confusing only if the shortest shared name is no longer than the shortest name of one of them,
    as with `*PONS*` and `*PONS*TILT*`: then a device that one is meant for also matches the other.
    """
    shared = shared_name(one, other)
    if shared is None or len(shared) > max(shortest(one), shortest(other)):
        return None
    return shared


def shortest(pattern: str) -> int:
    """The length of the shortest name that this pattern matches."""
    return sum(part != "*" for part in _PART.findall(pattern))


def shared_name(one: str, other: str) -> str | None:
    """The shortest name, in upper case, that both patterns match regardless of case; None if there is none.

    A breadth-first search over pairs of positions, one in each pattern. Skipping a star costs no character, so such
    steps go to the front of the queue (a 0-1 search), and the first name that ends both patterns is the shortest.
    """
    alphabet = _alphabet(one.upper() + other.upper())
    ones, others = _parts(one.upper(), alphabet), _parts(other.upper(), alphabet)
    seen: set[tuple[int, int]] = set()
    queue = deque([(0, 0, "")])
    while queue:
        i, j, name = queue.popleft()
        if (i, j) in seen:
            continue
        seen.add((i, j))
        if (i, j) == (len(ones), len(others)):
            return name
        first = ones[i] if i < len(ones) else None
        second = others[j] if j < len(others) else None
        if first is not None and first.is_star:
            queue.appendleft((i + 1, j, name))
        if second is not None and second.is_star:
            queue.appendleft((i, j + 1, name))
        if first is not None and second is not None and (common := first.characters & second.characters):
            step = min(common, key=lambda character: (not character.isalnum(), character))  # a readable name
            queue.append((i + (not first.is_star), j + (not second.is_star), name + step))
    return None


def _alphabet(text: str) -> frozenset[str]:
    """A finite set of characters that represents all others for these patterns.

    The characters in the patterns, their neighbours (just outside a range `[a-m]`), and three that occur in neither.
    """
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
