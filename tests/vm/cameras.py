"""The kernel's virtual cameras (`vivid`): loads them, plugs and unplugs them, and captures from them."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.capabilities import Card, read_card, read_input
from belvedere.stage.sources.v4l2.capture import Capture
from belvedere.stage.sources.v4l2.controls import read_controls, set_controls
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.discovery import VideoNode, video_nodes
from belvedere.stage.sources.v4l2.setup import V4l2Camera, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from belvedere.stage.sources.v4l2.capture import StreamFormat
    from belvedere.stage.sources.v4l2.controls import ControlValue
    from belvedere.stage.sources.v4l2.negotiation import PixelFormat

WANTED = VideoDescription(VideoFormat.RAW, 320, 180, 15)
WAIT_S = 60.0  # the machine is emulated, on a computer that may be busy
# A webcam with a node for data beside it, and an HDMI receiver.
OPTIONS = ("n_devs=2", "node_types=0x20001,0x1", "num_inputs=1,1", "input_types=0,3", "multiplanar=1,1")
DRIVER = Path("/sys/bus/platform/drivers/vivid")


def load() -> None:
    """Load the driver; its devices appear before this returns."""
    subprocess.run(["modprobe", "vivid", *OPTIONS], check=True)
    wait_until(lambda: len(video_nodes()) > 2, "the virtual cameras")


def webcam() -> Path:
    """The device file of the virtual webcam."""
    return _camera(lambda name: "webcam" in name.lower())


def hdmi() -> Path:
    """The device file of the virtual HDMI receiver."""
    return _camera(lambda name: "hdmi" in name.lower())


def data_node() -> Path:
    """The device file that delivers data about the webcam's pictures."""
    (path,) = (node.path for node in video_nodes() if not card_of(node).is_camera)
    return path


def _camera(has_input: Callable[[str], bool]) -> Path:
    for node in video_nodes():
        with contextlib.closing(KernelFile(node.path)) as file:
            state = read_input(file)
        if card_of(node).is_camera and state is not None and has_input(state.name):
            return node.path
    raise AssertionError(f"not among {video_nodes()}")


def card_of(node: VideoNode) -> Card:
    """What the device at a node says it is."""
    with contextlib.closing(KernelFile(node.path)) as file:
        return read_card(file)


def unplug() -> None:
    """Unplug all virtual cameras, as if the cable was pulled."""
    (DRIVER / "unbind").write_text("vivid.0", encoding="ascii")


def plug_in() -> None:
    """Plug them in again."""
    (DRIVER / "bind").write_text("vivid.0", encoding="ascii")


def is_streaming() -> bool:
    """Whether any virtual camera is on: the driver has a thread for each that is."""
    for name in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if name.read_text(encoding="utf-8").startswith("vivid-"):
                return True
    return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in the driver or in another process."""
    give_up_s = time.monotonic() + WAIT_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < give_up_s, f"not in time: {what}"
        pause.wait(0.01)


def set_control(path: Path, name: str, value: ControlValue) -> None:
    """Set a control of a camera, through a file of its own."""
    with contextlib.closing(KernelFile(path)) as file:
        set_controls(file, {name: value}, str(path))


def control_value(path: Path, name: str) -> int:
    """The driver's value of a control."""
    with contextlib.closing(KernelFile(path)) as file:
        (control,) = (each for each in read_controls(file) if each.name == name)
        answer = abi.Control(id=control.id)
        file.ioctl(abi.Request.G_CTRL, answer)
        return int(answer.value)


@contextlib.contextmanager
def capturing(
    path: Path, pixel_format: PixelFormat | None = None, wanted: VideoDescription = WANTED
) -> Iterator[tuple[Capture, StreamFormat]]:
    """Capture with the product's own steps."""
    with contextlib.closing(KernelFile(path)) as file:
        choice = prepare(file, V4l2Camera(str(path), pixel_format), str(path), wanted)
        capture = Capture(file, str(path))
        form = capture.start(choice)
        try:
            yield capture, form
        finally:
            capture.stop()


def has_other_stream(path: Path) -> bool:
    """Whether another program has the camera's stream."""
    with contextlib.closing(KernelFile(path)) as file:
        form = abi.Format(type=abi.CAPTURE)
        file.ioctl(abi.Request.G_FMT, form)
        try:
            file.ioctl(abi.Request.REQBUFS, abi.RequestBuffers(count=2, type=abi.CAPTURE, memory=abi.MMAP))
            file.ioctl(abi.Request.STREAMOFF, ctypes.c_int(abi.CAPTURE))
        except OSError:
            return True
        return False
