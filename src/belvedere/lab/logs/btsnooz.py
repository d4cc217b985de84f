"""The btsnooz section of Android's bug reports as text: a log in base64, made into a btsnoop file.

Layout as in Android's `btif_debug_btsnoop.cc`: a version, the time of the last packet, and deflated records. Phones
that were not told to keep a full log write this one, in which most values are cut.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO

from belvedere.lab.logs.btsnoop import EPOCH_US, MAGIC
from belvedere.lab.logs.records import NotALogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BEGIN, END = b"--- BEGIN:BTSNOOP_LOG_SUMMARY", b"--- END:BTSNOOP_LOG_SUMMARY"
HEADER = struct.Struct("<bQ")
RECORDS = {1: struct.Struct("<HIb"), 2: struct.Struct("<HHIb")}  # length, in 2 the original one, delay, type
KINDS = {0x10: 4, 0x11: 2, 0x12: 3, 0x17: 5, 0x20: 1, 0x21: 2, 0x22: 3, 0x2D: 5}  # their types, as H4 numbers them
SENT_KINDS = 0x20  # and above: what the phone sent
FILE_HEADER = MAGIC + struct.pack(">II", 1, 1002)
RECORD = struct.Struct(">IIIIQ")
COMMAND_OR_EVENT = 2  # in btsnoop's flags
MAX_ENCODED_BYTES = 64 << 20  # phones keep 256 KB
MAX_DECODED_BYTES = 32 << 20


def write_section(lines: Iterable[bytes], target: BinaryIO) -> bool:
    """Write the log in the lines of a bug report as btsnoop; False if there is none. Raises NotALogError."""
    encoded = bytearray()
    is_inside = False
    for line in lines:
        if not is_inside:
            is_inside = line.startswith(BEGIN)
            continue
        if line.startswith(END):
            break
        encoded += line.strip()
        if len(encoded) > MAX_ENCODED_BYTES:
            raise NotALogError("its btsnooz section is too long")
    if not is_inside:
        return False
    target.write(FILE_HEADER)
    try:
        target.writelines(_records(base64.b64decode(bytes(encoded))))
    except (binascii.Error, zlib.error, struct.error) as error:
        raise NotALogError(f"its btsnooz section is damaged: {error}") from error
    return True


def _records(section: bytes) -> Iterator[bytes]:
    version, last_us = HEADER.unpack_from(section)
    if version not in RECORDS:
        raise NotALogError(f"btsnooz version {version} is not supported, only 1 and 2")
    decoder = zlib.decompressobj()
    data = decoder.decompress(section[HEADER.size :], MAX_DECODED_BYTES)
    record = RECORDS[version]  # read twice, because a list of the shortest ones would fill the memory
    time_us = last_us + EPOCH_US - sum(delay_us for _at, _size, _original, delay_us, _kind in _headers(data, record))
    for at, size, original, delay_us, kind in _headers(data, record):
        time_us += delay_us
        if kind in KINDS and time_us >= 0:
            number = KINDS[kind]
            flags = (kind < SENT_KINDS) | COMMAND_OR_EVENT * (number in {1, 4})
            yield RECORD.pack(original, size, flags, 0, time_us & (1 << 64) - 1) + bytes([number])
            yield data[at : at + size - 1]


def _headers(data: bytes, record: struct.Struct) -> Iterator[tuple[int, int, int, int, int]]:
    """Of each whole record: where its data begins, the length with its type and the original one, delay, and type."""
    offset = 0
    while offset + record.size <= len(data):
        size, *more, delay_us, kind = record.unpack_from(data, offset)
        offset += record.size
        if size < 1 or offset + size - 1 > len(data):
            return
        yield offset, size, *(more or [size]), delay_us, kind
        offset += size - 1
