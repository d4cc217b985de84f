"""Checks that bytes are CBOR as authenticators must write it, before a library decodes them. Pure.

CTAP2 demands a canonical form without tags, floats and indefinite lengths. Decoders know much more: regular
expressions, big fractions, references. None of that may be reached by what strangers send.
"""

from __future__ import annotations

from typing import Final

MAX_LEVELS: Final = 4  # as CTAP2 has it, section 8: an attestation object with a certificate chain has three
_LONG: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # the bytes of an argument that does not fit into the first byte
_INT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_FALSE_TRUE_NULL: Final = (20, 21, 22)


def end_of_item(data: bytes, start: int = 0, levels: int = MAX_LEVELS) -> int:
    """Where the item that begins at `start` ends. Raises ValueError unless it is whole, and in the plain form.

    Takes time in proportion to the data, whatever lengths are claimed in it.
    """
    if start >= len(data):
        raise ValueError("the data end within an item")
    kind, argument, at = data[start] >> 5, data[start] & 31, start + 1
    if kind == _TAG or (kind == _SIMPLE and argument not in _FALSE_TRUE_NULL):
        raise ValueError("there is a tag, a float or another value that has no place here")
    if argument > max(_LONG):
        raise ValueError("there is an item of indefinite length")
    if argument in _LONG:
        size = _LONG[argument]
        argument, at = int.from_bytes(data[at : at + size], "big"), at + size
    if kind in {_BYTES, _TEXT}:
        at = _end_of_string(data, at, argument, is_text=kind == _TEXT)
    elif kind in {_ARRAY, _MAP}:
        if levels == 1:
            raise ValueError("there are too many levels")
        for _ in range(argument * (2 if kind == _MAP else 1)):  # a claim that is too great ends with the data
            at = end_of_item(data, at, levels - 1)
    if at > len(data):
        raise ValueError("the data end within an item")
    return at


def _end_of_string(data: bytes, start: int, size: int, *, is_text: bool) -> int:
    """Where a string ends, which may be after the data. Raises ValueError for text that is not UTF-8."""
    end = start + size
    if is_text and end <= len(data):
        data[start:end].decode()  # UnicodeDecodeError is a ValueError
    return end


def require_plain(data: bytes) -> None:
    """Raise ValueError unless the data are one item in the plain form, and nothing more."""
    if end_of_item(data) != len(data):
        raise ValueError("there is something after the item")
