"""Which licences may be in what we distribute: those that only want to be passed on, and what is listed with a reason.

`deploy/container/licences.toml` is the policy. Runs with the standard library alone: the image's builder has no more.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

TOKEN = re.compile(r"\s*(\(|\)|[A-Za-z0-9.+-]+)")


class PolicyError(Exception):
    """The policy, or a licence that it was asked about, cannot be read."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A licence that is not allowed in general, and what may be under it all the same.

    Attributes:
        licence: its SPDX identifier.
        of: the names of the components.
        reason: why that is compatible with distributing them beside our own code.
    """

    licence: str
    of: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class StaticPart:
    """A library that is linked into a file of a package, so that nothing but the file's content tells.

    Attributes:
        package: the distribution that has the file.
        file: its pattern, relative to the folder of packages.
        name: the library.
        licence: its SPDX expression.
        evidence: a pattern of bytes that only that library leaves in the file; its group, if any, is the version.
    """

    package: str
    file: str
    name: str
    licence: str
    evidence: str


@dataclass(frozen=True, slots=True)
class LicencePolicy:
    """What is allowed, and what is known of components whose metadata do not say it in SPDX's terms.

    Attributes:
        allowed: SPDX identifiers.
        packages: the licence of a Python package, or of one of the page, by its name.
        libraries: the licence of a shared library, by its name without version.
        static_parts: libraries inside of other files.
        waivers: exceptions.
    """

    allowed: frozenset[str]
    packages: Mapping[str, str]
    libraries: Mapping[str, str]
    static_parts: Sequence[StaticPart]
    waivers: Sequence[Waiver]

    def allows(self, name: str, licence: str) -> bool:
        """Whether a component may be under this SPDX expression. Raises PolicyError for what is no expression."""
        waived = {waiver.licence for waiver in self.waivers if name in waiver.of}
        return holds(licence, lambda identifier: identifier in self.allowed or identifier in waived)

    def unused(self, components: Mapping[str, str]) -> list[str]:
        """Waivers that no component needs, one line each, given the licences of all components by their names."""
        return [
            f"{name} is not inside under {waiver.licence}: remove the waiver"
            for waiver in self.waivers
            for name in sorted(waiver.of)
            if waiver.licence not in components.get(name, "")
        ]


def read_policy(path: Path) -> LicencePolicy:
    """Read a policy. Raises PolicyError where a waiver lacks its reason, or a table has other keys."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        waivers = [Waiver(each["licence"], frozenset(each["of"]), each["reason"]) for each in table["waivers"]]
        parts = [StaticPart(**each) for each in table["static_parts"]]
        policy = LicencePolicy(frozenset(table["allowed"]), table["packages"], table["libraries"], parts, waivers)
    except (KeyError, TypeError) as error:
        raise PolicyError(f"{path}: {error}") from error
    if any(not waiver.reason.strip() for waiver in waivers):
        raise PolicyError(f"{path}: a waiver needs its reason")
    return policy


def holds(expression: str, is_fulfilled: Callable[[str], bool]) -> bool:
    """Evaluate an SPDX expression: AND binds more closely than OR, and WITH belongs to its identifier."""
    tokens = TOKEN.findall(expression)
    if not tokens or "".join(tokens) != re.sub(r"\s", "", expression):
        raise PolicyError(f"not an SPDX expression: {expression!r}")
    value = _either(tokens, is_fulfilled)
    if tokens:
        raise PolicyError(f"not an SPDX expression: {expression!r}")
    return value


def _either(tokens: list[str], is_fulfilled: Callable[[str], bool]) -> bool:
    value = _both(tokens, is_fulfilled)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        value = _both(tokens, is_fulfilled) or value
    return value


def _both(tokens: list[str], is_fulfilled: Callable[[str], bool]) -> bool:
    value = _single(tokens, is_fulfilled)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        value = _single(tokens, is_fulfilled) and value
    return value


def _single(tokens: list[str], is_fulfilled: Callable[[str], bool]) -> bool:
    if not tokens:
        raise PolicyError("an SPDX expression ends too early")
    word = tokens.pop(0)
    if word == "(":
        value = _either(tokens, is_fulfilled)
        if not tokens or tokens.pop(0) != ")":
            raise PolicyError("an SPDX expression lacks a closing parenthesis")
        return value
    if word in {")", "AND", "OR", "WITH"}:
        raise PolicyError(f"an SPDX expression has {word} where a licence should be")
    if tokens[:1] == ["WITH"]:
        exception = tokens[1:2]
        del tokens[:2]
        return is_fulfilled(" ".join([word, "WITH", *exception]))
    return is_fulfilled(word)
