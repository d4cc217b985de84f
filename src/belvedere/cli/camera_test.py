"""`belvedere camera test`: whether a camera works, and how quick it is."""

from __future__ import annotations

import sys
import time
from pathlib import Path  # noqa: TC003 (cyclopts reads annotations)
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from belvedere.app.camera_argument import NAMES, parse_camera
from belvedere.app.settings import read_config_or_defaults
from belvedere.cli.parameters import Json  # noqa: TC001 (cyclopts reads annotations)
from belvedere.errors import OwnerError, StageError

if TYPE_CHECKING:
    from belvedere.lab.camera_trial import CameraReport
    from belvedere.stage.tap import Still


def camera_test(
    source: Annotated[
        str | None,
        Parameter(help=f"{NAMES}; default: [camera] of the configuration"),
    ] = None,
    *,
    config: Annotated[Path | None, Parameter(help="configuration file; default: belvedere.toml if it exists")] = None,
    still: Annotated[Path | None, Parameter(help="save the first picture as this PNG file")] = None,
    json: Json = False,
) -> int:
    """Turn the camera on for three seconds and print what came; returns the exit status. Raises OwnerError."""
    from belvedere.app.build import picture_source  # noqa: PLC0415 - a third of a second, not needed for help
    from belvedere.lab.camera_trial import try_camera  # noqa: PLC0415 - likewise

    loaded = read_config_or_defaults(config)
    if source is not None:
        settings = msgspec.structs.replace(loaded.settings, camera=parse_camera(source))
        loaded = msgspec.structs.replace(loaded, settings=settings)
    options = loaded.settings.stage
    try:
        report, picture = try_camera(picture_source(loaded, None)(), options, time.monotonic)
    except StageError as error:
        raise OwnerError(f"no picture: {error}") from error
    _print(report, is_json=json)
    if still is not None:
        _save(picture, still)
    return 0


def _print(report: CameraReport, *, is_json: bool) -> None:
    if is_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    how = "passed on as it comes" if report.format == "h264" else "encoded here"
    worst = f"at worst {report.latency_worst_ms:g} ms"
    lines = (
        f"picture       {report.width}x{report.height}, H.264, {how}",
        f"rate          {report.measured_fps:g} a second, of {report.described_fps}"
        + (" - too few: more light, another format or a smaller size may help" if report.is_slow else ""),
        f"first picture {report.first_picture_ms:.0f} ms after it was turned on",
        f"latency       {report.latency_median_ms:g} ms from capture to encoded, {worst}",
        f"frames        {report.frames}, dropped {report.dropped}",
    )
    sys.stdout.write("\n".join(lines) + "\n")


def _save(picture: Still | None, path: Path) -> None:
    from belvedere.stage.encoding.image import encode_png  # noqa: PLC0415 - FFmpeg is heavy

    if picture is None:
        raise OwnerError("the camera delivered no picture that can be saved")
    try:
        path.write_bytes(encode_png(picture))
    except OSError as error:
        raise OwnerError(f"{path}: could not be written: {error.strerror}") from error
