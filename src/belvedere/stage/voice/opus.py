"""Opus, by libopus itself: FFmpeg's codecs, which PyAV has, neither conceal what is lost nor read in-band FEC.

The library is the one that PyAV's wheel brings, else the system's. Calls release the interpreter's lock, and take a
fraction of a millisecond; an encoder or decoder belongs to one thread at a time.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from array import array
from pathlib import Path

from belvedere.errors import OwnerError

RATE_HZ = 48_000
FRAME_SAMPLES = 960  # 20 ms: what browsers send, too
SYSTEM_LIBRARY = "libopus.so.0"
MAX_PACKET_BYTES = 1275  # RFC 6716, section 3.4, for one frame; browsers' packets have one
MAX_PACKET_SAMPLES = 5760  # 120 ms (RFC 6716, section 3.2.5)
COMPLEXITY = 5  # of 10: higher takes twice the time on a small board, and nobody hears it in speech
EXPECTED_LOSS_PERCENT = 10  # so much of the bitrate goes into copies of the frame before

_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY, _SET_FEC, _SET_LOSS = 4002, 4010, 4012, 4014  # opus_defines.h
_SILK_MS, _HYBRID_MS, _CELT_MS = (10, 20, 40, 60), (10, 20, 10, 20), (2.5, 5, 10, 20)  # RFC 6716, table 2
_FIRST_HYBRID, _FIRST_CELT = 12, 16


class OpusError(ValueError):
    """Not an Opus packet, or not one that we decode."""


def packet_samples(packet: bytes) -> int:
    """How long a packet is, at 48 kHz, by its first bytes (RFC 6716, section 3.1). Raises OpusError."""
    if not 0 < len(packet) <= MAX_PACKET_BYTES:
        raise OpusError(f"a packet of {len(packet)} bytes")
    config, code = packet[0] >> 3, packet[0] & 3
    frames_ms = _SILK_MS if config < _FIRST_HYBRID else _HYBRID_MS if config < _FIRST_CELT else _CELT_MS
    count = 1 if code == 0 else 2
    if code == 3:  # noqa: PLR2004 (an arbitrary number of frames)
        if len(packet) == 1:
            raise OpusError("a packet without its count of frames")
        count = packet[1] & 0x3F
    samples = int(frames_ms[config & 3] * count * RATE_HZ / 1000)
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise OpusError(f"a packet of {samples} samples")
    return samples


class OpusEncoder:
    """Encodes frames of one channel, with in-band FEC. Raises OwnerError if there is no libopus."""

    def __init__(self, bits_per_s: int) -> None:
        self._library = _library()
        self._state = ctypes.create_string_buffer(self._library.opus_encoder_get_size(1))
        self._output = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        _checked(self._library.opus_encoder_init(self._state, RATE_HZ, 1, _VOIP))
        settings = ((_SET_BITRATE, bits_per_s), (_SET_COMPLEXITY, COMPLEXITY), (_SET_FEC, 1))
        for request, value in (*settings, (_SET_LOSS, EXPECTED_LOSS_PERCENT)):
            _checked(self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value)))

    def encode(self, frame: bytes) -> bytes:
        """Encode FRAME_SAMPLES samples of 16 bits in this computer's byte order."""
        size = _checked(
            self._library.opus_encode(self._state, frame, FRAME_SAMPLES, self._output, len(self._output)),
        )
        return self._output.raw[:size]


class OpusDecoder:
    """Decodes one stream to one channel. Raises OwnerError if there is no libopus."""

    def __init__(self) -> None:
        self._library = _library()
        self._state = ctypes.create_string_buffer(self._library.opus_decoder_get_size(1))
        self._output = (ctypes.c_int16 * MAX_PACKET_SAMPLES)()
        _checked(self._library.opus_decoder_init(self._state, RATE_HZ, 1))

    def decode(self, packet: bytes) -> array[int]:
        """The samples of a packet. Raises OpusError."""
        packet_samples(packet)
        return self._decode(packet, MAX_PACKET_SAMPLES, fec=False)

    def recover(self, following: bytes, samples: int) -> array[int]:
        """The last samples before a packet that came, from the copy in it; concealed if it has none.

        `samples` is a multiple of 2.5 ms, up to 120 ms. Raises OpusError.
        """
        packet_samples(following)
        return self._decode(following, samples, fec=True)

    def conceal(self, samples: int) -> array[int]:
        """What may have been in a packet that was lost, by what was before; `samples` as for `recover`."""
        return self._decode(None, samples, fec=False)

    def _decode(self, packet: bytes | None, samples: int, *, fec: bool) -> array[int]:
        size = 0 if packet is None else len(packet)
        count = _checked(self._library.opus_decode(self._state, packet, size, self._output, samples, int(fec)))
        decoded = array("h")
        decoded.frombytes(bytes(memoryview(self._output).cast("B")[: 2 * count]))
        return decoded


def _checked(result: int) -> int:
    if result < 0:
        raise OpusError(f"libopus refused it ({result})")
    return result


@functools.cache
def _library() -> ctypes.CDLL:
    """Load libopus, once."""
    for path in [*_of_wheel(), SYSTEM_LIBRARY]:
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        pointer, number = ctypes.c_char_p, ctypes.c_int
        library.opus_encode.argtypes = [ctypes.c_void_p, pointer, number, ctypes.c_void_p, number]
        library.opus_decode.argtypes = [ctypes.c_void_p, pointer, number, ctypes.c_void_p, number, number]
        return library
    raise OwnerError("there is no libopus, which sound needs: apt install libopus0")


def _of_wheel() -> list[str]:
    """Where PyAV's wheel has it, without importing PyAV."""
    found = importlib.util.find_spec("av")
    if found is None or found.origin is None:
        return []
    return [str(path) for path in sorted((Path(found.origin).parents[1] / "av.libs").glob("libopus-*.so*"))]
