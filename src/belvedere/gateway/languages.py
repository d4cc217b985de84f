"""Which language an answer for a person is in: the first of ours that the browser asks for."""

from __future__ import annotations

import enum
import re
from typing import Final


class Language(enum.StrEnum):
    """The languages of the pages; the values are their BCP 47 tags. The first is for everybody else."""

    ENGLISH = "en"
    CHINESE = "zh-Hans"


MAX_RANGES: Final = 32  # a browser sends fewer than ten
_RANGE: Final = re.compile(
    r"[ \t]*(?P<primary>[A-Za-z]{1,8})(-[A-Za-z0-9]{1,8})*[ \t]*"
    r"(;[ \t]*q=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?)[ \t]*)?"
)
_BY_PRIMARY: Final = {language.partition("-")[0]: language for language in Language}


def language_for(accept_language: str) -> Language:
    """The language for an Accept-Language header (RFC 9110, section 12.5.4); what cannot be read of it is ignored."""
    best, best_weight = Language.ENGLISH, 0.0
    for part in accept_language.split(",", MAX_RANGES)[:MAX_RANGES]:
        match = _RANGE.fullmatch(part)
        language = _BY_PRIMARY.get(match["primary"].lower()) if match is not None else None
        if match is not None and language is not None and float(match["weight"] or 1) > best_weight:
            best, best_weight = language, float(match["weight"] or 1)
    return best
