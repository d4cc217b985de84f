"""Finds the video devices that convert pictures, and among these the encoder of H.264; none is turned on."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from belvedere.stage.sources.v4l2.capabilities import read_card, read_codes
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.discovery import ROOT, video_nodes

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.stage.sources.v4l2.discovery import OpenFile


def find_h264_encoder(open_file: OpenFile = KernelFile, root: Path = ROOT) -> str | None:
    """The device that encodes H.264 in hardware, as a Raspberry Pi up to the 4 has; None where there is none."""
    for node in video_nodes(root):
        try:
            with closing(open_file(node.path)) as file:
                card = read_card(file)
                if card.converts_to and "H264" in read_codes(file, card.converts_to):
                    return f"{card.name} at {node.path}"
        except OSError:  # busy, unplugged, forbidden, or no V4L2 device
            continue
    return None
