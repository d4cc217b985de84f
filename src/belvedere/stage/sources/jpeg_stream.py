"""Cuts a stream of bytes into the JPEG pictures of an MJPEG stream, by JPEG's own markers. Pure.

Between two pictures anything may stand, such as the boundaries of a multipart stream. Inside a picture the segments'
lengths are followed (ITU-T T.81, B.1.1.4), so that a thumbnail within a segment, which begins and ends as a picture
does, is not taken for one.
"""

from __future__ import annotations

import re

START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
SOI = b"\xff\xd8"
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM and RST0 to RST7 have no length field
MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a stuffed byte, a fill byte or a restart
MAX_PICTURE_BYTES = 8 * 2**20  # a 4K picture of the best quality has less


class JpegSplitter:
    """Takes bytes as they come and returns the whole pictures in them.

    It holds at most one unfinished picture. One that is damaged, or longer than `MAX_PICTURE_BYTES`, is dropped, and
    the next begins at the next start marker.

    Attributes:
        skipped: how many bytes belonged to no whole picture since the last one.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # how far the picture at the buffer's start has been followed; 0: no picture has begun
        self._is_in_scan = False
        self.skipped = 0

    def receive(self, data: bytes) -> list[bytes]:
        """Take more bytes; returns the pictures that they complete, oldest first."""
        self._buffer += data
        pictures = []
        while self._begin():
            end = self._follow()
            if end is None:
                break
            pictures.append(bytes(self._buffer[:end]))
            self.skipped = 0
            self._drop(end)
        if len(self._buffer) > MAX_PICTURE_BYTES:
            self._skip(len(self._buffer))
        return pictures

    def _begin(self) -> bool:
        """Move to the start of the next picture, if none has begun; returns whether there is one."""
        if self._at:
            return True
        start = self._buffer.find(SOI)
        if start < 0:
            self._skip(max(0, len(self._buffer) - 1))  # the last byte may be the first of a marker
            return False
        self._skip(start)
        self._at = len(SOI)
        return True

    def _follow(self) -> int | None:
        """Follow the picture to its end; returns where that is, or None if more bytes are needed.

        A picture that is damaged is dropped, and the next one is followed.
        """
        while True:
            if self._is_in_scan:
                match = MARKER_IN_SCAN.search(self._buffer, self._at)
                if match is None:
                    self._at = max(self._at, len(self._buffer) - 1)
                    return None
                self._at, self._is_in_scan = match.start(), False
            if len(self._buffer) < self._at + 4 and self._buffer[self._at + 1 : self._at + 2] != b"\xd9":
                return None
            end = self._follow_marker()
            if end is not None:
                return end
            if not self._begin():
                return None

    def _follow_marker(self) -> int | None:
        """Step over one marker and its segment; returns the picture's end if it is that. Drops a damaged picture."""
        first, code = self._buffer[self._at : self._at + 2]
        if first != 0xFF or code in {0x00, START_OF_IMAGE}:  # noqa: PLR2004 (each marker begins so)
            self._skip(self._at)
        elif code == END_OF_IMAGE:
            return self._at + 2
        elif code == 0xFF:  # noqa: PLR2004 (a fill byte)
            self._at += 1
        elif code in WITHOUT_LENGTH:
            self._at += 2
        else:
            self._at += 2 + int.from_bytes(self._buffer[self._at + 2 : self._at + 4], "big")
            self._is_in_scan = code == START_OF_SCAN
        return None

    def _skip(self, count: int) -> None:
        self.skipped += count
        self._drop(count)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._at, self._is_in_scan = 0, False
