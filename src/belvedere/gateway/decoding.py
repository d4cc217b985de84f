"""Reads what strangers wrote: strictly, and with one kind of error for all that can be wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from msgspec.json import Decoder

T = TypeVar("T")


def decode_strictly(decoder: Decoder[T], text: str | bytes) -> T:
    """Read one value.

    Raises VisitorError (BAD_MESSAGE) with the path of what is wrong; it never repeats what was sent. Nesting deeper
    than Python's stack is a BAD_MESSAGE too; size is the caller's to bound.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise VisitorError(Refusal.BAD_MESSAGE, _without_values(str(error))) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise VisitorError(Refusal.BAD_MESSAGE, "this is not JSON") from error


def is_of_type(content_type: str, media_type: str) -> bool:
    """Whether a `Content-Type` header names this media type, whatever parameters follow."""
    return content_type.partition(";")[0].strip().lower() == media_type


def _without_values(complaint: str) -> str:
    """What msgspec says is wrong, unless it repeats a word of the sender's (an unknown field or type)."""
    return complaint if complaint.startswith(("Expected", "Object missing", "Number")) else "unknown type or field"
