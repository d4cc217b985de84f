"""What the child process does: encode with FFmpeg what is in the shared memory. Importing it imports FFmpeg."""

from __future__ import annotations

import mmap
import os
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
import msgspec
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import Interpolation, VideoReformatter

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import Answer, EncodeRequest, OpenRequest, Request
from belvedere.stage.encoding.hardware_process import read_message, write_message
from belvedere.stage.encoding.x264 import BT709, IDR_INTERVAL_FRAMES, VIDEO_RANGE, scaled_size
from belvedere.stage.frames import RTP_CLOCK_HZ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.buffer import Buffer


class Codec(Protocol):
    """What of FFmpeg's encoder is used."""

    width: int
    height: int

    def encode(self, frame: av.VideoFrame, /) -> Sequence[Buffer | bytes]:
        """Returns what came out, which may be of pictures before."""
        ...


class Worker:
    """Answers one request after the other.

    Args:
        memory: the planes of a picture in 4:2:0, without padding.
        open_codec: opens an encoder for pictures of a width and height.
        clock: the time of the processor that this process has taken.
    """

    def __init__(
        self,
        memory: memoryview,
        open_codec: Callable[[OpenRequest, int, int], Codec],
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._memory = memory
        self._open_codec = open_codec
        self._clock = clock
        self._scaler = VideoReformatter()
        self._codec: Codec | None = None
        self._frame = av.VideoFrame(32, 2, "yuv420p")

    def answer(self, request: Request) -> Answer:
        """Do what is requested; an error of FFmpeg is part of the answer."""
        began_s = self._clock()
        try:
            codec = self._open(request) if isinstance(request, OpenRequest) else self._opened()
            packets = self._encode(codec, request) if isinstance(request, EncodeRequest) else ()
        except (av.FFmpegError, OSError, ValueError, EncoderError) as error:
            return Answer(f"FFmpeg: {' '.join(str(error).split())[:200]}")
        return Answer("", packets, codec.width, codec.height, self._clock() - began_s)

    def _open(self, request: OpenRequest) -> Codec:
        self._codec = None  # a device that can be used once must be closed first
        self._frame = av.VideoFrame(request.width, request.height, "yuv420p")
        self._frame.time_base = Fraction(1, RTP_CLOCK_HZ)
        width, height = scaled_size(request.width, request.height, Fraction(*request.scale))
        self._codec = self._open_codec(request, width, height)
        return self._codec

    def _opened(self) -> Codec:
        if self._codec is None:
            raise EncoderError("no encoder is open")
        return self._codec

    def _encode(self, codec: Codec, request: EncodeRequest) -> tuple[bytes, ...]:
        start = 0
        for plane in self._frame.planes:
            memoryview(plane)[:] = self._memory[start : start + plane.buffer_size]
            start += plane.buffer_size
        frame = self._frame
        if (frame.width, frame.height) != (codec.width, codec.height):
            frame = self._scaler.reformat(
                frame, width=codec.width, height=codec.height, interpolation=Interpolation.AREA
            )
        frame.pts = request.ticks
        frame.pict_type = PictureType.I if request.wants_idr else PictureType.NONE
        return tuple(bytes(packet) for packet in codec.encode(frame))


def open_codec(request: OpenRequest, width: int, height: int) -> Codec:
    """Open an encoder of FFmpeg. What a driver does not know of the options it ignores, without a word."""
    codec = av.CodecContext.create(request.codec, "w")
    if not isinstance(codec, VideoCodecContext):
        raise EncoderError(f"{request.codec} encodes no video")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base = Fraction(1, RTP_CLOCK_HZ)
    codec.framerate = Fraction(*request.fps)
    codec.bit_rate = request.bits_per_s
    codec.profile = "Constrained Baseline"
    codec.max_b_frames = 0
    codec.gop_size = IDR_INTERVAL_FRAMES
    codec.colorspace = codec.color_primaries = codec.color_trc = BT709
    codec.color_range = VIDEO_RANGE
    codec.thread_count = 1
    codec.open()
    return codec


def main(descriptor: int, open_codec: Callable[[OpenRequest, int, int], Codec] = open_codec) -> None:
    """Answer what comes on standard input, then end the process; `descriptor` is the shared memory's."""
    decoder = msgspec.msgpack.Decoder(Request)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else prints something
    with mmap.mmap(descriptor, 0) as memory:
        worker = Worker(memoryview(memory), open_codec)
        while (message := read_message(0, None)) is not None:
            write_message(answers.fileno(), msgspec.msgpack.encode(worker.answer(decoder.decode(message))))
        os._exit(0)  # nothing is to be saved, and closing the encoder may hang


if __name__ == "__main__":
    main(int(sys.argv[1]))
