"""A camera that the test controls, where the product opens a video device: it answers requests as a driver does.

Time passes only while the product waits for a picture, so every test is quick and takes the same course each time.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from belvedere.stage.sources.v4l2 import abi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_T = TypeVar("_T")
Sizes = list[tuple[int, int, tuple[tuple[int, int], ...]]]  # width, height, intervals as numerator and denominator
CAPTURES = abi.CAP_VIDEO_CAPTURE | abi.CAP_STREAMING
LISTED_AT_MOST = 50_000  # of one request; a product that asks for more would never end


def failure(number: int) -> OSError:
    """The kernel's error of this number."""
    return OSError(number, os.strerror(number))


@dataclass
class FakeControl:
    """A control of the camera; `items` makes it a menu."""

    id: int
    name: str
    kind: abi.ControlType = abi.ControlType.INTEGER
    lowest: int = 0
    highest: int = 100
    step: int = 1
    value: int = 0
    flags: int = 0
    items: dict[int, str] = field(default_factory=dict)
    refuses: int = 0  # with this error number


class FakeCamera:
    """A camera that fills buffers at its rate, on a clock of its own.

    Attributes:
        stream: the kind of stream that it delivers.
        formats: what it lists; sizes by four-character code, in the driver's order.
        stepwise: ranges of sizes, in place of a list.
        picture: makes the bytes of the picture of a number.
        interval_s: between pictures; infinite for a camera that delivers none.
        fails: error numbers by request; `fails_once` the same, for one request each.
        unplugged_at_s: from then on, everything is ENODEV.
        wakes_without_picture: says that there is a picture when there is none.
        tamper: called with each answer, which it may change.
        requests: how often each was sent.
        opened: how many files are open; `mapped` how many buffers are mapped.
    """

    def __init__(self, formats: dict[str, Sizes] | None = None) -> None:
        self.now_s = 1000.0
        self.card = b"Fake Camera"
        self.driver = b"fake"
        self.capabilities = CAPTURES
        self.stream = abi.CAPTURE
        self.formats: dict[str, Sizes] = formats if formats is not None else {"YUYV": [(64, 48, ((1, 30),))]}
        self.stepwise: dict[str, tuple[int, int, int, int, int, int]] = {}
        self.controls: list[FakeControl] = []
        self.inputs: list[tuple[bytes, int, int]] = [(b"Camera 1", 0, 0)]  # name, status, capabilities
        self.input = 0
        self.picture: Callable[[int], bytes] = lambda number: number.to_bytes(4, "little") * (64 * 48 // 2)
        self.interval_s = 1 / 30
        self.flags: Callable[[int], int] = lambda _number: abi.FLAG_TIMESTAMP_MONOTONIC
        self.stamp_offset_s = -0.005
        self.colours = (0, 0, 0)  # colour space, matrix, range
        self.bytes_per_line: int | None = None
        self.insists_on: tuple[str, int, int] | None = None
        self.buffers = 4
        self.fails: dict[int, int] = {}
        self.fails_once: dict[int, deque[int]] = {}
        self.unplugged_at_s = float("inf")
        self.wakes_without_picture = False
        self.tamper: Callable[[int, Any], None] = lambda _request, _argument: None
        self.requests: Counter[int] = Counter()
        self.form = abi.PixFormat(width=64, height=48, pixelformat=abi.fourcc("YUYV"))
        self.rate_set: tuple[int, int] | None = None
        self.timings_taken = 0
        self.opened = 0
        self.mapped = 0
        self.is_streaming = False

    def clock(self) -> float:
        """The camera's clock, which is the computer's."""
        return self.now_s

    def open(self, _path: Path) -> FakeFile:
        """Open it, as `discovery` does."""
        if self.now_s >= self.unplugged_at_s:
            raise failure(errno.ENOENT)
        return FakeFile(self)


class FakeFile:
    """The opened camera; implements `DeviceFile`."""

    def __init__(self, camera: FakeCamera) -> None:
        self._camera = camera
        self._memory: list[bytearray] = []
        self._queued: deque[int] = deque()
        self._filled: deque[abi.Buffer] = deque()
        self._frame = 0
        self._due_s = float("inf")
        self._is_open = True
        camera.opened += 1

    def ioctl(self, request: int, argument: ctypes.Structure | ctypes.c_int) -> None:
        assert self._is_open
        camera = self._camera
        camera.requests[request] += 1
        assert camera.requests[request] < LISTED_AT_MOST
        self._fill()
        if camera.now_s >= camera.unplugged_at_s:
            raise failure(errno.ENODEV)
        once = camera.fails_once.get(request)
        number = once.popleft() if once else camera.fails.get(request)
        if number:
            raise failure(number)
        handler = getattr(self, f"_{abi.Request(request).name.lower()}", None)
        if handler is None:
            raise failure(errno.ENOTTY)
        handler(argument)
        camera.tamper(request, argument)

    def wait(self, timeout_s: float) -> bool:
        camera = self._camera
        self._fill()
        if self._filled or camera.now_s >= camera.unplugged_at_s:
            return True
        if camera.wakes_without_picture:
            camera.now_s += 0.001
            return True
        due_s = min(self._due_s, camera.unplugged_at_s)
        is_due = self._camera.is_streaming and due_s <= camera.now_s + timeout_s
        camera.now_s = max(camera.now_s, due_s) if is_due else camera.now_s + timeout_s
        self._fill()
        return bool(self._filled) or camera.now_s >= camera.unplugged_at_s

    def map(self, length: int, offset: int) -> FakeMapping:
        assert offset == len(self._memory) * 0x1000
        self._memory.append(bytearray(length))
        return FakeMapping(self._camera, self._memory[-1])

    def close(self) -> None:
        if self._is_open:
            self._camera.opened -= 1
        self._is_open = False
        self._camera.is_streaming = False

    def _fill(self) -> None:
        """Fill buffers with the pictures that are due by now; without a free buffer a picture is lost."""
        camera = self._camera
        while camera.is_streaming and self._due_s <= min(camera.now_s, camera.unplugged_at_s):
            due_s, number = self._due_s, self._frame
            self._due_s += camera.interval_s
            self._frame += 1
            if not self._queued:
                continue
            index = self._queued.popleft()
            data = camera.picture(number)
            self._memory[index][: len(data)] = data
            stamp_s = due_s + camera.stamp_offset_s
            self._filled.append(
                abi.Buffer(
                    index=index,
                    bytesused=len(data),
                    flags=camera.flags(number),
                    sequence=number,
                    timestamp=abi.TimeValue(int(stamp_s), round(stamp_s % 1 * 1e6)),
                )
            )

    def _querycap(self, answer: abi.Capability) -> None:
        answer.driver, answer.card, answer.bus_info = self._camera.driver, self._camera.card, b"usb-1"
        answer.capabilities = self._camera.capabilities | abi.CAP_DEVICE_CAPS
        answer.device_caps = self._camera.capabilities

    def _enum_fmt(self, entry: abi.FormatDescription) -> None:
        if entry.type != self._camera.stream:
            raise failure(errno.EINVAL)
        entry.pixelformat = abi.fourcc(_entry([*self._camera.formats, *self._camera.stepwise], entry.index))

    def _enum_framesizes(self, entry: abi.FrameSize) -> None:
        code = abi.fourcc_text(entry.pixel_format)
        if code in self._camera.stepwise:
            _entry([code], entry.index)
            entry.type = abi.RangeType.STEPWISE
            entry.stepwise = abi.StepwiseSize(*self._camera.stepwise[code])
            return
        sizes = list(dict.fromkeys((width, height) for width, height, _ in self._camera.formats.get(code, [])))
        entry.type = abi.RangeType.DISCRETE
        entry.discrete = abi.DiscreteSize(*_entry(sizes, entry.index))

    def _enum_frameintervals(self, entry: abi.FrameInterval) -> None:
        size = entry.width, entry.height
        sizes = self._camera.formats.get(abi.fourcc_text(entry.pixel_format), [])
        intervals = [value for width, height, values in sizes if (width, height) == size for value in values]
        entry.type = abi.RangeType.DISCRETE
        entry.discrete = abi.Fraction(*_entry(intervals, entry.index))

    def _g_fmt(self, form: abi.Format) -> None:
        form.pix = self._camera.form

    def _s_fmt(self, form: abi.Format) -> None:
        if self._camera.insists_on is not None:
            code, width, height = self._camera.insists_on
            form.pix.pixelformat, form.pix.width, form.pix.height = abi.fourcc(code), width, height
        pix = form.pix
        pix.bytesperline = self._camera.bytes_per_line or pix.width * 2
        pix.sizeimage = max(pix.bytesperline * pix.height, 65_536)
        if pix.priv == abi.PIX_PRIV_MAGIC:  # otherwise the program does not know these fields
            pix.colorspace, pix.ycbcr_enc, pix.quantization = self._camera.colours
        self._camera.form = abi.PixFormat.from_buffer_copy(pix)

    def _s_parm(self, parameters: abi.StreamParameters) -> None:
        interval = parameters.capture.timeperframe
        self._camera.rate_set = interval.denominator, interval.numerator

    def _reqbufs(self, request: abi.RequestBuffers) -> None:
        if request.count == 0 and self._camera.mapped:
            raise failure(errno.EBUSY)
        request.count = self._camera.buffers if request.count else 0

    def _querybuf(self, buffer: abi.Buffer) -> None:
        buffer.length, buffer.offset = self._camera.form.sizeimage, buffer.index * 0x1000

    def _qbuf(self, buffer: abi.Buffer) -> None:
        assert buffer.index not in self._queued
        self._queued.append(buffer.index)

    def _dqbuf(self, buffer: abi.Buffer) -> None:
        if not self._filled:
            raise failure(errno.EAGAIN)
        ctypes.pointer(buffer)[0] = self._filled.popleft()

    def _streamon(self, _kind: ctypes.c_int) -> None:
        self._camera.is_streaming = True
        self._due_s, self._frame = self._camera.now_s + self._camera.interval_s, 0

    def _streamoff(self, _kind: ctypes.c_int) -> None:
        self._camera.is_streaming = False

    def _g_input(self, index: ctypes.c_int) -> None:
        index.value = self._camera.input

    def _s_input(self, index: ctypes.c_int) -> None:
        _entry(self._camera.inputs, index.value)
        self._camera.input = index.value

    def _enuminput(self, entry: abi.Input) -> None:
        entry.name, entry.status, entry.capabilities = _entry(self._camera.inputs, entry.index)

    def _query_dv_timings(self, _timings: abi.DvTimings) -> None:
        pass

    def _s_dv_timings(self, _timings: abi.DvTimings) -> None:
        self._camera.timings_taken += 1

    def _queryctrl(self, answer: abi.QueryControl) -> None:
        wanted = answer.id & ~abi.CTRL_NEXT
        is_next = bool(answer.id & abi.CTRL_NEXT)
        matching = (each for each in self._camera.controls if (each.id > wanted if is_next else each.id == wanted))
        control = next(matching, None)
        if control is None:
            raise failure(errno.EINVAL)
        answer.id, answer.type, answer.name = control.id, control.kind, control.name.encode()
        answer.minimum, answer.maximum, answer.step = control.lowest, control.highest, control.step
        answer.flags = control.flags

    def _querymenu(self, item: abi.QueryMenu) -> None:
        control = next(each for each in self._camera.controls if each.id == item.id)
        label = control.items.get(item.index)
        if label is None:
            raise failure(errno.EINVAL)
        if control.kind == abi.ControlType.MENU:
            item.name = label.encode()
        else:
            item.value = int(label)

    def _s_ctrl(self, wanted: abi.Control) -> None:
        control = next(each for each in self._camera.controls if each.id == wanted.id)
        if control.refuses:
            raise failure(control.refuses)
        control.value = wanted.value


class FakeMapping:
    """A mapped buffer; like the kernel's, it cannot be closed while somebody looks at it."""

    def __init__(self, camera: FakeCamera, memory: bytearray) -> None:
        self._camera = camera
        self._memory = memory
        camera.mapped += 1

    def view(self, length: int) -> memoryview:
        return memoryview(self._memory)[:length]

    def close(self) -> None:
        self._memory.clear()  # raises BufferError while a view of it exists
        self._camera.mapped -= 1


def _entry(entries: Sequence[_T], index: int) -> _T:
    if not 0 <= index < len(entries):
        raise failure(errno.EINVAL)
    return entries[index]
