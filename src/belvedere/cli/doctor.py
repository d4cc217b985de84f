"""`belvedere doctor`: checks what this computer lacks of what Belvedere needs, and says how to fix it."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.app.settings import DEFAULT_FILE, BluetoothHeadSettings, Settings, read_config, resolve
from belvedere.cli.adapter import AdapterName, Virtual, opened_adapter, run
from belvedere.cli.parameters import Json  # noqa: TC001 (cyclopts reads annotations)
from belvedere.errors import OwnerError
from belvedere.installation.plan import GROUPS
from belvedere.installation.texts import SERVICE, UNITS, USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.app.settings import Config
    from belvedere.lab.camera_trial import CameraReport
    from belvedere.lab.doctor.check import CheckResult
    from belvedere.stage.direct.server_trial import ServerTrial
    from belvedere.stage.options import StageOptions


def doctor(
    *,
    config: Annotated[Path | None, Parameter(help="configuration file; default: belvedere.toml if it exists")] = None,
    units: Annotated[
        bool, Parameter(help="find the head's units and measure their links; on by default", show_default=False)
    ] = True,
    camera: Annotated[bool, Parameter(help="turn the configured camera on for three seconds", negative=())] = False,
    from_outside: Annotated[
        str | None,
        Parameter(help="check only what visitors get at this public address, such as https://home.example.org"),
    ] = None,
    json: Json = False,
    adapter: AdapterName = None,
    virtual: Virtual = False,
) -> int:
    """Run all checks and print their results; returns 1 where one failed. Units are sent nothing but stops."""
    if from_outside is not None:
        return run(_check_from_outside(from_outside, config, is_json=json))
    loaded, file_result = _read_configuration(config)

    async def checked() -> int:
        trial = _camera_trial(loaded) if camera else None
        results = await _run_checks(loaded, adapter, trial, wants_units=units, is_virtual=virtual, is_json=json)
        return _print_results([file_result, *results], is_json=json)

    return run(checked())


def _read_configuration(path: Path | None) -> tuple[Config, CheckResult]:
    """The configuration, or the defaults where it cannot be read; and the result of this check."""
    from belvedere.lab.doctor.check import CheckResult, CheckState  # noqa: PLC0415 - bleak is heavy

    name = "configuration"
    if path is None and not DEFAULT_FILE.exists():
        message = f"no {DEFAULT_FILE} in this folder; checked with the defaults"
        return resolve(Settings()), CheckResult(
            name, CheckState.WARNING, message, "belvedere doctor --config /path/to/belvedere.toml"
        )
    file = path or DEFAULT_FILE
    try:
        config = read_config(file)
        state = CheckState.WARNING if config.warnings else CheckState.OK
        return config, CheckResult(name, state, "; ".join((f"{file} is valid", *config.warnings)))
    except OwnerError as error:
        return resolve(Settings()), CheckResult(
            name,
            CheckState.ERROR,
            f"{error}; checked with the defaults",
            f"correct it, then belvedere config check {file}",
        )


async def _check_from_outside(url: str, path: Path | None, *, is_json: bool) -> int:
    """Check what visitors get at a public address; compared with the settings, if there are any here."""
    from belvedere.lab.doctor.check import run_checks  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.outside.checks import HTTP_PORT, HTTPS_PORT, OutsideContext, outside_checks  # noqa: PLC0415 - likewise
    from belvedere.lab.outside.exchange import parse_address  # noqa: PLC0415 - likewise

    address = parse_address(url)
    file = path or DEFAULT_FILE
    settings = read_config(file).settings if path is not None or file.exists() else None
    context = OutsideContext(
        address=address,
        names=settings.server.names if settings else (),
        has_access=settings.access.cloudflare is not None if settings else None,
        http_port=HTTP_PORT if address.port == HTTPS_PORT else None,
    )
    return _print_results(await run_checks(outside_checks(context)), is_json=is_json)


def _camera_trial(loaded: Config) -> Callable[[], CameraReport]:
    from belvedere.app.build import picture_source  # noqa: PLC0415 - a third of a second, and only here
    from belvedere.lab.camera_trial import try_camera  # noqa: PLC0415 - likewise

    return lambda: try_camera(picture_source(loaded, None)(), loaded.settings.stage, time.monotonic)[0]


async def _try_servers(options: StageOptions) -> list[ServerTrial]:
    """Ask the STUN and TURN servers of the settings, as a viewer's connection would."""
    from belvedere.stage.direct.ice_servers import ice_servers  # noqa: PLC0415 - aiortc is heavy
    from belvedere.stage.direct.server_trial import try_servers  # noqa: PLC0415 - likewise

    return await try_servers(await ice_servers(options, time.monotonic).for_page("doctor"))


async def _run_checks(
    loaded: Config,
    name: str | None,
    camera_trial: Callable[[], CameraReport] | None,
    *,
    wants_units: bool,
    is_virtual: bool,
    is_json: bool,
) -> list[CheckResult]:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.doctor.check import run_checks  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.doctor.checks import CheckContext, checks  # noqa: PLC0415 - likewise
    from belvedere.lab.doctor.service import InstalledService  # noqa: PLC0415 - likewise

    settings = loaded.settings
    bluetooth = settings.head if isinstance(settings.head, BluetoothHeadSettings) else None
    progress = Console(stderr=True)
    spinner = progress.status("checking ...") if progress.is_terminal and not is_json else nullcontext()
    async with opened_adapter(
        name or (bluetooth.adapter if bluetooth else None), loaded.profile if is_virtual else None
    ) as adapter:
        context = CheckContext(
            profile=loaded.profile,
            adapter=adapter,
            stage=settings.stage,
            host=settings.server.host,
            port=settings.server.port,
            folder=loaded.store.parent if loaded.store is not None else Path(),
            wants_units=wants_units,
            has_guardian=settings.guardian.enabled if bluetooth else None,
            has_camera=camera_trial is not None or not settings.camera.is_virtual,
            camera_trial=camera_trial,
            service=InstalledService(Path(UNITS / SERVICE), USER, GROUPS),
            names=settings.server.names,
            trusted_proxies=settings.server.trusted_proxies,
            try_servers=lambda: _try_servers(settings.stage),
        )
        with spinner as status:
            return await run_checks(
                checks(context), lambda result: status.update(f"checked: {result.name}") if status else None
            )


def _print_results(results: list[CheckResult], *, is_json: bool) -> int:
    from rich.console import Console  # noqa: PLC0415 - only here

    from belvedere.lab.doctor.check import CheckState, worst_state  # noqa: PLC0415 - bleak is heavy
    from belvedere.lab.doctor.view import as_json, results_table, summary  # noqa: PLC0415 - likewise

    if is_json:
        sys.stdout.write(as_json(results) + "\n")
    else:
        console = Console()
        console.print(results_table(results))
        console.print(f"\n{summary(results)}", style="bold", highlight=False)
    return int(worst_state(results) is CheckState.ERROR)
